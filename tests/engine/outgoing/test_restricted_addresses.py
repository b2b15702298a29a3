"""No form of writing a reserved address, and no detour, leads a source's request into the operator's network."""

from __future__ import annotations

import io
import socket
from ipaddress import ip_address

import pytest

from engine.errors import LookupFailure
from engine.outgoing import Deadline, DestinationRestricted, Trust, download, session
from engine.outgoing.addresses import is_public
from tests.engine.webserver import LOOPBACK, reply, web_server

LOOPBACK_FORMS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "127.0.0.01",
    "127.127.127.127",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "0",
    "0.0.0.0",  # noqa: S104
    "0x0",
    "127。0。0。1",
    "１２７.0.0.1",
    "１２７．０．０．１",
    "①②⑦.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::1]",
]
OTHER_FORMS = [
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "0x0a000001",
    "012.0.0.1",
    "10.1",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.257",
    "3232235521",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a00:1::]",
    "[2002:c0a8:1::1]",
]


class _Opened(Exception):
    """A socket was opened, which must not happen."""


@pytest.fixture
def no_connecting(monkeypatch):
    def refuse(self, address):
        raise _Opened(f"connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("host", LOOPBACK_FORMS + OTHER_FORMS)
@pytest.mark.parametrize(
    "trust", [Trust.NONE, Trust.parse(["198.51.100.77/32", "symbols.corp"])], ids=["none", "other"]
)
def test_no_form_of_a_reserved_address_is_connected(no_connecting, host, trust):
    with pytest.raises(LookupFailure) as caught:
        download(session(trust), f"http://{host}:8080/x", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert caught.value.details in (
        "download failed: destination is restricted",
        # Forms that this host's resolver does not take for an address at all.
        "download failed: the host name cannot be resolved",
        "download failed: the address cannot be used",
    )


def test_most_forms_are_refused_for_their_address_and_not_for_their_spelling(no_connecting):
    refused = 0
    for host in LOOPBACK_FORMS + OTHER_FORMS:
        with pytest.raises(LookupFailure) as caught:
            download(session(Trust.NONE), f"http://{host}/", io.BytesIO(), headers={}, deadline=Deadline.after(5))
        refused += "restricted" in caught.value.details

    assert refused >= 60


def test_a_public_address_would_be_connected(no_connecting):
    for host in (
        "8.8.8.8",
        "134744072",
        "[2606:4700::1111]",
        "[64:ff9b::8.8.8.8]",
        "[::ffff:8.8.8.8]",
        "[2002:808:808::1]",
    ):
        with pytest.raises(_Opened):
            download(session(Trust.NONE), f"http://{host}/", io.BytesIO(), headers={}, deadline=Deadline.after(5))


def test_an_allowed_network_is_connected():
    with web_server() as server:
        server.routes["/file"] = reply(body=b"content")
        target = io.BytesIO()

        answer = download(session(LOOPBACK), f"{server.url}/file", target, headers={}, deadline=Deadline.after(5))

    assert (answer.status, target.getvalue()) == (200, b"content")


def test_an_allowed_name_is_connected_wherever_it_leads():
    with web_server() as server:
        server.routes["/file"] = reply(body=b"content")
        target = io.BytesIO()
        url = f"http://LOCALHOST:{server.port}/file"

        download(session(Trust.parse(["localhost"])), url, target, headers={}, deadline=Deadline.after(5))

    assert target.getvalue() == b"content"


def test_an_allowed_name_does_not_allow_its_address():
    with web_server() as server, pytest.raises(LookupFailure, match="destination is restricted"):
        download(session(Trust.parse(["localhost"])), server.url, io.BytesIO(), headers={}, deadline=Deadline.after(5))


@pytest.mark.parametrize(
    "place", ["http://127.0.0.2:{port}/", "http://[::1]:{port}/", "//2130706434:{port}/", "http://0x7f.2:{port}"]
)
def test_a_redirect_to_a_reserved_address_is_refused(place):
    with web_server() as server:
        server.routes["/start"] = reply("302 Found", Location=place.format(port=server.port))
        only = Trust.parse(["127.0.0.1/32"])

        with pytest.raises(LookupFailure, match="destination is restricted"):
            download(session(only), f"{server.url}/start", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert server.paths == ["/start"]


def test_a_name_that_changes_its_address_after_the_check_leads_nowhere(monkeypatch):
    """The first answer is public and the second loopback: the connection must go to what was checked."""
    answers = iter(["8.8.8.8", "127.0.0.1", "127.0.0.1"])
    connected = []

    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(self, address):
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(LookupFailure, match="connection refused"):
        download(session(Trust.NONE), "http://rebind.example/", io.BytesIO(), headers={}, deadline=Deadline.after(5))
    with pytest.raises(LookupFailure, match="destination is restricted"):
        download(session(Trust.NONE), "http://rebind.example/", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert connected == ["8.8.8.8"]


def test_of_several_addresses_only_the_public_ones_are_tried(monkeypatch):
    connected = []

    def connect(self, address):
        connected.append(address[0])
        raise ConnectionRefusedError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 80)) for text in ("10.0.0.1", "8.8.4.4", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(LookupFailure):
        download(session(Trust.NONE), "http://mixed.example/", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert connected == ["8.8.4.4"]


def test_sessions_with_different_trust_share_no_connection():
    """A connection that a trusted source left open must not carry a request of another."""
    assert session(LOOPBACK) is session(Trust.parse(["127.0.0.0/8"]))
    assert session(LOOPBACK) is not session(Trust.NONE)
    with web_server() as server:
        server.routes["/a"] = reply(body=b"a")
        download(session(LOOPBACK), f"{server.url}/a", io.BytesIO(), headers={}, deadline=Deadline.after(5))
        with pytest.raises(DestinationRestricted):
            session(Trust.NONE).get(f"{server.url}/a", timeout=5)


def test_proxies_and_netrc_of_the_environment_are_not_used(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login u password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.9:1")
    with web_server() as server:
        server.routes["/"] = reply(body=b"x")
        download(session(LOOPBACK), f"{server.url}/", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert "authorization" not in server.asked[0].headers


def test_cookies_are_not_kept():
    with web_server() as server:
        server.routes["/"] = reply(body=b"x", Set_Cookie="session=secret; Path=/")
        for _ in range(2):
            download(session(LOOPBACK), f"{server.url}/", io.BytesIO(), headers={}, deadline=Deadline.after(5))

    assert all("cookie" not in asked.headers for asked in server.asked)


@pytest.mark.parametrize("text", ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.128.0.0", "172.32.0.0", "2a00:1450::1"])
def test_neighbours_of_reserved_networks_are_public(text):
    assert is_public(ip_address(text))
