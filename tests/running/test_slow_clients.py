"""What clients do to a running service with more patience than they deserve."""

import json
import socket
import threading
import time
from uuid import uuid4

import pytest
import requests

from tests.service import Service, create_database, drop_database, environment, eventually, url_of

CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def project(service):
    org = service.bootstrap()["organization"]["slug"]
    token = service.token(org, "web", scopes=["project:read", "project:write", "symbolicate:post"])
    return f"/api/0/projects/{org}/web/symbol-sources/", token


def connect(service):
    return socket.create_connection(service.address, timeout=30)


def head(path, token, *more, method="POST"):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Content-Type: application/json"]
    return "\r\n".join(lines).encode() + b"\r\n" + b"".join(more) + b"\r\n"


def read_all(connection):
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def body_of(name):
    return json.dumps(
        {
            "id": name,
            "name": name,
            "type": "http",
            "url": "https://symbols.example/",
            "layout": {"type": "native", "casing": "default"},
        }
    ).encode()


def test_a_chunked_body_without_a_length_arrives(service, project):
    path, token = project
    pieces = (body_of("chunked")[i : i + 7] for i in range(0, 10_000, 7) if body_of("chunked")[i : i + 7])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = requests.post(service.url + path, data=pieces, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["id"]) == (201, "chunked")


def test_chunks_that_are_malformed_are_400(service, project):
    with connect(service) as connection:
        connection.sendall(head(*project, CHUNKED) + b"zz\r\nno chunk\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_a_client_that_hangs_up_inside_its_body_harms_nobody(service, project):
    with connect(service) as connection:
        connection.sendall(head(*project, b"Content-Length: 500\r\n") + b"{")
    assert requests.get(f"{service.url}/livez", timeout=5).status_code == 200
    assert "Traceback" not in service.log


@pytest.mark.parametrize("framing", [CHUNKED, b"Content-Length: 500\r\n"])
def test_a_client_that_falls_silent_is_408_and_cut_off(service, project, framing):
    began = time.monotonic()
    with connect(service) as connection:
        connection.sendall(head(*project, framing) + (b"5\r\n{    \r\n" if framing == CHUNKED else b"{   "))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Connection: close" in answer
    assert 1.5 < time.monotonic() - began < 8


@pytest.mark.parametrize("framing", [CHUNKED, b"Content-Length: 5000\r\n"])
def test_a_client_that_drips_its_body_is_cut_off(service, project, framing):
    drip = b"1\r\n \r\n" if framing == CHUNKED else b" "
    began = time.monotonic()
    with connect(service) as connection:
        connection.sendall(head(*project, framing))
        try:
            while time.monotonic() - began < 20:
                connection.sendall(drip)
                time.sleep(0.2)
        except OSError:
            pass
    assert 3 < time.monotonic() - began < 10


def test_a_client_that_drips_its_headers_is_cut_off(service):
    began = time.monotonic()
    with connect(service) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\n")
        try:
            while time.monotonic() - began < 20:
                connection.sendall(b"X-A: b\r\n")
                time.sleep(0.2)
        except OSError:
            pass
    assert 5 < time.monotonic() - began < 15
    assert "Traceback" not in service.log


def test_a_silent_connection_takes_no_thread(service):
    silent = [connect(service) for _ in range(600)]
    try:
        began = time.monotonic()
        assert all(requests.get(f"{service.url}/livez", timeout=5).status_code == 200 for _ in range(5))
        assert time.monotonic() - began < 3
    finally:
        for connection in silent:
            connection.close()


def test_dripping_clients_do_not_stop_the_others(service, project):
    dripping = []
    try:
        for _ in range(100):
            connection = connect(service)
            connection.sendall(head(*project, CHUNKED) + b"1\r\n{\r\n")
            dripping.append(connection)
        for _ in range(20):
            began = time.monotonic()
            assert requests.get(f"{service.url}/livez", timeout=5).status_code == 200
            assert time.monotonic() - began < 1.5
        assert all(read_all(connection).startswith(b"HTTP/1.1 408") for connection in dripping)
    finally:
        for connection in dripping:
            connection.close()


def test_a_kept_connection_serves_one_request_after_the_other(service, project):
    path, token = project
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for number in range(5):
            sent = session.post(service.url + path, data=iter([body_of(f"kept{number}")]), timeout=10)
            assert sent.status_code in (201, 415), sent.text
            assert session.get(service.url + path, timeout=10).status_code == 200
            # Together longer than a request's headers may take: waiting between requests is no slowness.
            time.sleep(1.3)


def test_a_kept_connection_survives_a_body_that_was_not_asked_for(service):
    with connect(service) as connection:
        for _ in range(2):
            connection.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            assert data.startswith(b"HTTP/1.1 405")


def test_a_body_over_the_limit_is_413(service, project):
    path, token = project
    with connect(service) as connection:
        connection.sendall(head(path, token, b"Content-Length: 2000000000\r\n"))
        connection.sendall(b"x" * 1000)
        assert read_all(connection).startswith(b"HTTP/1.1 413")


def test_tokens_are_in_no_log_line(service, project):
    _, token = project
    requests.get(f"{service.url}/api/0/{token}/?token={token}", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    eventually(lambda: f"/api/0/{token[:8]}…" in service.log)
    assert token not in service.log


def refuses(service):
    try:
        connect(service).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.fixture
def patient(tmp_path):
    """A service of one's own, to be stopped, that waits long for a body."""
    name = f"patient_{uuid4().hex[:12]}"
    longer = {"GRACEFUL_SECONDS": "40", "BODY_IDLE_SECONDS": "40"}
    env = environment(tmp_path / "data", url_of(create_database(name)), **longer)
    started = Service(tmp_path / "data", env, options=("--workers", "1"))
    try:
        yield started.start()
    finally:
        if started.process.poll() is None:
            started.stop()
        drop_database(name)


def test_a_running_request_ends_before_the_service_does(patient):
    org = patient.bootstrap()["organization"]["slug"]
    token = patient.token(org, "web", scopes=["project:write"])
    with connect(patient) as connection:
        body = body_of("late")
        framing = f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n".encode()
        connection.sendall(head(f"/api/0/projects/{org}/web/symbol-sources/", token, framing))
        # Said by whoever took the request.
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(body[:10])
        stopping = threading.Thread(target=patient.stop)
        stopping.start()
        eventually(lambda: refuses(patient))
        connection.sendall(body[10:])
        assert read_all(connection).startswith(b"HTTP/1.1 201")
    stopping.join()
    assert patient.process.returncode == 0
