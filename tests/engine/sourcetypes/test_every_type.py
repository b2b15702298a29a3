"""What holds for sources of every type: whose files they are, where they may lead, and what they keep to themselves."""

from __future__ import annotations

import io
import json
import logging
import socket
import traceback
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.errors import LookupFailure, SymbolsvcError
from engine.lookup import ModuleStatus, Store
from engine.outgoing import Deadline, Trust
from engine.sourcetypes.base import FileType, Location
from engine.sourcetypes.gcs import GcsSource
from tests.engine.lookup.conftest import LEDGER_FILE, LEDGER_PATH, look
from tests.engine.outgoing.test_restricted_addresses import LOOPBACK_FORMS, OTHER_FORMS, _Opened
from tests.engine.sourcetypes.asking import CANARY, LIBRARY, configured, opened, opening
from tests.engine.webserver import LOOPBACK, raw, reply, web_server

WEB_TYPES = ["http", "s3", "gcs", "sentry"]
NAMES = {"acme": "acme-credential", "umbrella": "umbrella-credential"}


def make(kind, url, *, owner="acme", credential="acme-credential", trust=LOOPBACK, **fields):
    """A source of this type on the server at `url`, with the same id and bucket whoever asks."""
    if kind == "http":
        fields = {"headers": {"Authorization": f"Bearer {credential}"}} | fields
        return opened(owner=owner, trust=trust, type="http", url=url, **fields)
    if kind == "s3":
        fields = {"access_key": credential, "secret_key": f"{credential}-secret"} | fields
        return opened(owner=owner, trust=trust, type="s3", bucket="symbols", region=["us-east-1", url], **fields)
    if kind == "sentry":
        return opened(owner=owner, trust=trust, type="sentry", url=f"{url}/files?_last_upload=1", token=credential)
    config = configured(type="gcs", bucket="symbols", **({"bearer_token": credential} | fields))
    return GcsSource(
        config, opening(credential.replace(CANARY, "c"), owner=owner, trust=trust), storage=url, tokens=f"{url}/token"
    )


@pytest.fixture
def server():
    """Has the ledger for those who say `acme-credential`, for all types of sources."""
    ledger = LEDGER_FILE.read_bytes()
    with web_server() as made:

        def act(asked, connection):
            if "acme-credential" not in asked.headers.get("authorization", ""):
                answer = reply("403 Forbidden")
            elif asked.target.startswith("/files") and "&id=" not in asked.target:
                answer = reply(body=json.dumps([{"id": "7", "symbolType": "elf"}]).encode())
            elif asked.target.partition("?")[0].replace("%2F", "/").endswith((LEDGER_PATH, "/files")):
                answer = reply(body=ledger)
            else:
                answer = reply("404 Not Found")
            answer(asked, connection)

        made.default = act
        yield made


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "cache", max_download_bytes=50 * 1024**2)
    yield made
    own = made.converter._own
    if own is not None:
        own.kill()
        own.wait()


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_the_same_id_scope_and_place_with_other_credentials_sees_nothing_of_anothers(server, store, kind):
    ours = make(kind, server.url)
    theirs = make(kind, server.url, owner="umbrella", credential="umbrella-credential")

    assert look(store, [ours]).status is ModuleStatus.FOUND
    answer = look(store, [theirs])
    assert answer.status is (ModuleStatus.MISSING if kind == "sentry" else ModuleStatus.FETCHING_FAILED)
    assert "ok" not in {row.download.status.value for row in answer.candidates}
    assert look(store, [ours]).status is ModuleStatus.FOUND


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_a_refusal_of_one_organization_hides_nothing_from_another(server, store, kind):
    theirs = make(kind, server.url, owner="umbrella", credential="umbrella-credential")

    assert look(store, [theirs]).status is not ModuleStatus.FOUND
    assert look(store, [make(kind, server.url)]).status is ModuleStatus.FOUND


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_the_very_same_configuration_of_another_organization_is_asked_anew(server, store, kind):
    look(store, [make(kind, server.url)])
    asked = len(server.asked)
    if kind == "gcs":
        other = make(kind, server.url, owner="umbrella")
        assert other.cache_key != make(kind, server.url).cache_key
    else:
        other = make(kind, server.url, owner="umbrella")

    assert look(store, [other]).status is ModuleStatus.FOUND
    assert len(server.asked) == 2 * asked


def test_directories_of_the_same_id_keep_apart(tmp_path, store):
    for name, content in (("ours", LEDGER_FILE.read_bytes()), ("theirs", b"")):
        place = tmp_path / name / LEDGER_PATH.lstrip("/")
        place.parent.mkdir(parents=True)
        if content:
            place.write_bytes(content)

    def directory(name):
        return opened(owner="builtin", type="filesystem", path=str(tmp_path / name))

    assert look(store, [directory("ours")]).status is ModuleStatus.FOUND
    assert look(store, [directory("theirs")]).status is ModuleStatus.MISSING


def attempt(source):
    """List and fetch, and give the failure; None when nothing failed."""
    try:
        places = source.locate(LIBRARY, [FileType.ELF_CODE], Deadline.after(5))
        for _, location in places:
            source.fetch(location, LIBRARY, io.BytesIO(), Deadline.after(5))
    except SymbolsvcError as failure:
        return failure
    return None


@pytest.fixture
def no_connecting(monkeypatch):
    def refuse(self, address):
        raise _Opened(f"connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_no_form_of_a_reserved_address_is_connected_through_any_door(no_connecting, kind):
    restricted = 0
    for number, host in enumerate(LOOPBACK_FORMS + OTHER_FORMS):
        try:
            source = make(kind, f"http://{host}:8080", owner=f"forms{number}", trust=Trust.NONE)
        except SymbolsvcError:
            continue
        failure = attempt(source)
        assert failure is not None, host
        restricted += "destination is restricted" in failure.message

    assert restricted >= 60


@pytest.mark.parametrize("place", ["http://127.0.0.2:{port}/", "http://[::1]:{port}/", "//2130706434:{port}/"])
@pytest.mark.parametrize("kind", WEB_TYPES)
def test_no_redirect_leads_to_a_reserved_address(kind, place):
    with web_server() as server:
        server.default = reply("307 Temporary Redirect", Location=place.format(port=server.port))
        only = Trust.parse(["127.0.0.1/32"])

        failure = attempt(make(kind, server.url, owner=f"redirect {place}", trust=only))

    assert failure is not None
    assert ("sends elsewhere" if kind == "s3" else "restricted") in failure.message
    assert len(server.asked) == 1


def test_the_token_service_is_asked_through_the_same_door(no_connecting, key):
    source = GcsSource(
        configured(type="gcs", bucket="b", client_email="a@b", private_key=key),
        opening("tokens", trust=Trust.NONE),
        tokens="http://169.254.169.254/token",
    )

    failure = attempt(source)

    assert failure is not None
    assert "destination is restricted" in failure.message


@pytest.fixture(scope="module")
def key():
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def secretive(kind, url):
    """A source whose every secret is the canary."""
    if kind == "http":
        return make(kind, url.replace("//", f"//user:{CANARY}@") + f"/?sig={CANARY}", headers={"X-Key": CANARY})
    if kind == "s3":
        return make(kind, url, access_key="AKID", secret_key=CANARY)
    return make(kind, url, credential=CANARY)


ANSWERS = [
    reply("403 Forbidden", f"<Error><Code>{CANARY}</Code></Error>".encode()),
    reply("500 X"),
    reply("302 Found", Location="http://127.0.0.9:1/"),
    raw(b"HTTP/1.1 200 OK\r\nBroken Header\r\nContent-Length: 100\r\n\r\nhalf"),
    raw(b"nonsense\r\n"),
    reply(body=b"x"),
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("kind", WEB_TYPES)
def test_secrets_stay_out_of_texts_tracebacks_and_logs(caplog, kind, answer):
    caplog.set_level(logging.DEBUG)
    with web_server() as server:
        server.default = answer
        source = secretive(kind, server.url)
        seen = [repr(source), repr(source._opening)]
        location = Location("ab/cdef", "x")
        try:
            source.fetch(location, LIBRARY, io.BytesIO(), Deadline.after(5))
        except LookupFailure as failure:
            seen += [str(failure), repr(failure), failure.details, "".join(traceback.format_exception(failure))]
        with suppress(LookupFailure):
            seen += [str(place) for place in source.locate(LIBRARY, [FileType.ELF_CODE], Deadline.after(5))]

    assert server.asked
    assert CANARY not in "\n".join(seen + [record.getMessage() for record in caplog.records])
    assert not [record.name for record in caplog.records if record.name.startswith(("urllib3", "boto"))]


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_secrets_stay_out_of_failures_to_connect(caplog, kind):
    caplog.set_level(logging.DEBUG)
    with web_server() as gone:
        pass
    source = secretive(kind, gone.url)

    with pytest.raises(LookupFailure) as caught:
        source.fetch(Location("ab/cdef", "x"), LIBRARY, io.BytesIO(), Deadline.after(5))

    text = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value.__context__)
    assert "connection refused" in text
    assert CANARY not in text
