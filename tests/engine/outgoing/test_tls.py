"""TLS under the guarded door: names are verified, and handshakes have an end."""

from __future__ import annotations

import contextlib
import datetime
import io
import ipaddress
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.errors import LookupFailure
from engine.outgoing import Deadline, connections, download, session
from tests.engine.webserver import LOOPBACK


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "symbols.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls_url(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile")
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def fetch(url, **options):
    target = io.BytesIO()
    download(session(LOOPBACK), url, target, headers={}, deadline=Deadline.after(10), **options)
    return target.getvalue()


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_url):
    with pytest.raises(LookupFailure) as caught:
        fetch(tls_url)

    assert caught.value.details == "download failed: the TLS connection could not be made"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_operator_can_do_without_checking_and_others_still_check(tls_url):
    assert fetch(tls_url, verify=False) == b"file"
    with pytest.raises(LookupFailure, match="TLS"):
        fetch(tls_url)


def test_a_trusted_certificate_is_accepted(tls_url, certificate):
    assert fetch(tls_url, verify=str(certificate)) == b"file"


@pytest.mark.parametrize("greeting", [[], [b"\x16"] * 200], ids=["silent", "dripping"])
def test_a_handshake_that_does_not_end_is_cut_off(monkeypatch, greeting):
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.4)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            for piece in greeting:
                time.sleep(0.05)
                connection.sendall(piece)
            time.sleep(5)

    threading.Thread(target=serve, daemon=True).start()
    started = time.monotonic()

    with pytest.raises(LookupFailure):
        fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")

    assert time.monotonic() - started < 3
    listener.close()
