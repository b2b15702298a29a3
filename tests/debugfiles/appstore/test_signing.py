"""The key in every form that people paste it in, and the token made of it."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.outgoing import Reply
from sources.types.app_store_connect.access import bearer, load_key, read_access
from sources.types.app_store_connect.client import retry_after
from sources.types.app_store_connect.problems import AppStoreFailure, Problem, remedy_of
from tests.debugfiles.appstore.apple import KEY, PEM, source

BODY = "".join(PEM.splitlines()[1:-1])
FORMS = {
    "as Apple gives it": PEM,
    "escaped line breaks": PEM.replace("\n", "\\n"),
    "lost line breaks": PEM.replace("\n", " "),
    "windows": PEM.replace("\n", "\r\n"),
    "without the lines around": BODY,
    "base64 of the file": base64.b64encode(PEM.encode()).decode(),
    "with blanks": f"\n  {PEM}  \n",
}


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("form", FORMS)
def test_the_key_is_read_in_every_usual_form(form):
    assert load_key(FORMS[form]).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    "text",
    ["", "-----BEGIN", "nonsense", PEM[:80], pem(rsa.generate_private_key(65537, 1024)), "ключ"]
    + [pem(ec.generate_private_key(ec.SECP384R1()))],
    ids=["empty", "begin", "nonsense", "cut", "rsa", "cyrillic", "p384"],
)
def test_what_is_no_key_of_apple_is_refused_without_being_repeated(text):
    with pytest.raises(AppStoreFailure) as caught:
        load_key(text)
    assert caught.value.problem is Problem.KEY_UNREADABLE
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@settings(max_examples=50)
@given(st.text(max_size=200) | st.text(alphabet="-BEGIN KY\n\\", max_size=80))
def test_nothing_else_comes_out_of_what_people_paste(text):
    with pytest.raises(AppStoreFailure):
        load_key(text)


def test_a_token_is_good_for_less_than_twenty_minutes():
    claims = bearer(read_access(source(), {})).split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert 0 < found["exp"] - found["iat"] <= 1200


@pytest.mark.parametrize("field", ["appconnectIssuer", "appconnectKey", "appconnectPrivateKey", "appId"])
@pytest.mark.parametrize("value", [None, "", "  ", 5, {"hidden-secret": True}])
def test_what_is_missing_is_named(field, value):
    with pytest.raises(AppStoreFailure, match=field):
        read_access({**source(), field: value}, {})


@settings(max_examples=30)
@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=40))
def test_any_answer_about_when_to_come_back_is_borne(text):
    found = retry_after(Reply(429, "", {"retry-after": text}, lambda: iter(())))
    assert found is None or found >= 0


def test_every_problem_has_a_remedy():
    assert all(remedy_of(problem).endswith(".") for problem in Problem)
