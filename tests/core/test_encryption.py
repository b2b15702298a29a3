from __future__ import annotations

import base64
import logging
import traceback

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from core import encryption
from core.encryption import BelongsElsewhere, EncryptionError, KeysMisconfigured, Sealed, Tampered, UnknownKey

CANARY = "canary-5d1f0a"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def keys(settings):
    settings.SECRET_KEYS = (NEW, OLD)


def test_what_was_sealed_is_revealed_to_its_owner_alone():
    sealed = encryption.seal({"password": CANARY}, bound_to="row 1")
    assert encryption.reveal(sealed, bound_to="row 1") == {"password": CANARY}
    with pytest.raises(BelongsElsewhere):
        encryption.reveal(sealed, bound_to="row 2")


def test_the_newest_key_seals_and_its_id_stands_beside_the_ciphertext():
    sealed = encryption.seal({}, bound_to="row")
    assert sealed.key_id == encryption.key_id_of(NEW) == encryption.newest_key_id()
    Fernet(NEW).decrypt(sealed.ciphertext)


def test_the_id_of_a_key_tells_nothing_about_it():
    key_id = encryption.key_id_of(NEW)
    assert len(key_id) == encryption.KEY_ID_LENGTH
    assert key_id not in base64.urlsafe_b64decode(NEW).hex()
    assert encryption.key_id_of(OLD) != key_id


def test_older_keys_still_reveal_until_they_are_dropped(settings):
    settings.SECRET_KEYS = (OLD,)
    sealed = encryption.seal({"password": CANARY}, bound_to="row")
    settings.SECRET_KEYS = (NEW, OLD)
    assert encryption.reveal(sealed, bound_to="row") == {"password": CANARY}
    settings.SECRET_KEYS = (NEW,)
    with pytest.raises(UnknownKey, match=encryption.key_id_of(OLD)):
        encryption.reveal(sealed, bound_to="row")


def test_rotating_moves_to_the_newest_key_and_keeps_the_owner(settings):
    settings.SECRET_KEYS = (OLD,)
    sealed = encryption.seal({"password": CANARY}, bound_to="row")
    settings.SECRET_KEYS = (NEW, OLD)
    rotated = encryption.rotate(sealed)
    settings.SECRET_KEYS = (NEW,)
    assert encryption.reveal(rotated, bound_to="row") == {"password": CANARY}
    with pytest.raises(BelongsElsewhere):
        encryption.reveal(rotated, bound_to="another row")


@pytest.mark.parametrize("position", [0, 10, 40, -1])
def test_a_changed_ciphertext_is_tampered(position):
    sealed = encryption.seal({"password": CANARY}, bound_to="row")
    changed = bytearray(sealed.ciphertext)
    changed[position] ^= 1
    for use in (lambda one: encryption.reveal(one, bound_to="row"), encryption.rotate):
        with pytest.raises(Tampered):
            use(Sealed(sealed.key_id, bytes(changed)))


@pytest.mark.parametrize("plaintext", [b"", b"\xff", b"[]", b'{"bound_to": 5}', f'{{"x": "{CANARY}"'.encode()])
def test_a_plaintext_of_another_shape_is_tampered_and_not_shown(plaintext):
    sealed = Sealed(encryption.key_id_of(NEW), Fernet(NEW).encrypt(plaintext))
    with pytest.raises(Tampered) as caught:
        encryption.reveal(sealed, bound_to="row")
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_no_error_repr_or_log_line_holds_plaintext_or_keys(caplog):
    caplog.set_level(logging.DEBUG)
    sealed = encryption.seal({"password": CANARY}, bound_to="row")
    texts = [repr(sealed), caplog.text]
    for broken in (sealed, Sealed("0" * 16, sealed.ciphertext), Sealed(sealed.key_id, b"x")):
        with pytest.raises(EncryptionError) as caught:
            encryption.reveal(broken, bound_to="elsewhere")
        texts += [repr(caught.value), "".join(traceback.format_exception(caught.value))]
        assert caught.value.__context__ is None
    assert all(word not in "".join(texts) for word in (CANARY, NEW, OLD))


@pytest.mark.parametrize("keys", [(), ("not-a-key-canary",), (OLD, "not-a-key-canary"), ("ü" * 44,)])
def test_unusable_keys_are_named_by_their_number(settings, keys):
    settings.SECRET_KEYS = keys
    with pytest.raises(KeysMisconfigured, match="SECRET_KEYS") as caught:
        encryption.seal({}, bound_to="row")
    assert "canary" not in "".join(traceback.format_exception(caught.value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(st.text(), JSON, max_size=4), owner=st.text(), other=st.text())
def test_every_json_object_comes_back_to_its_owner_only(data, owner, other):
    sealed = encryption.seal(data, bound_to=owner)
    assert encryption.reveal(sealed, bound_to=owner) == data
    if other != owner:
        with pytest.raises(BelongsElsewhere):
            encryption.reveal(sealed, bound_to=other)
