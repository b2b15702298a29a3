"""Bodies through the WSGI handler, without a socket; with one, see tests/running/test_slow_clients.py."""

import io
import json
import time

import pytest
from django.http import HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.response import Response
from rest_framework.views import APIView

from core.wire import BodyBroken, BodyTooLarge, BodyTooSlow
from core.wire.body import WireRequest, read_body
from core.wire.handler import WireHandler
from core.wire.stream import BodyStream, Pace

PACE = Pace(idle=10.0, base=60.0)


@csrf_exempt
def echo(request):
    return HttpResponse(read_body(request, limit=100))


@csrf_exempt
def form(request):
    return JsonResponse(request.POST.dict())


@csrf_exempt
def generous(request):
    return HttpResponse(str(len(request.body)))


generous.body_limit = 3_000_000


@csrf_exempt
def ignoring(_request):
    return HttpResponse("did not look")


def protected(request):
    return HttpResponse(request.POST["name"])


class Parsed(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request):
        return Response({"got": request.data})


urlpatterns = [
    path("echo", echo),
    path("form", form),
    path("generous", generous),
    path("ignoring", ignoring),
    path("protected", protected),
    path("parsed", Parsed.as_view()),
]


class FakeServer:
    """What a WSGI server's response object has to offer."""

    def __init__(self):
        self.status = ""
        self.closed = False

    def start_response(self, status, headers):
        self.status = status

    def force_close(self):
        self.closed = True


@pytest.fixture
def call(settings):
    settings.ROOT_URLCONF = __name__
    handler = WireHandler()

    def send(address, body=b"", *, chunked=False, content_type="application/json", length=None, **more):
        environ = RequestFactory()._base_environ(
            PATH_INFO=address, REQUEST_METHOD="POST", CONTENT_TYPE=content_type, **more
        )
        environ["wsgi.input"] = body if hasattr(body, "read") else io.BytesIO(body)
        environ.pop("CONTENT_LENGTH", None)
        if chunked:
            environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        else:
            environ["CONTENT_LENGTH"] = str(len(body)) if length is None else length
        server = FakeServer()
        answer = b"".join(handler(environ, server.start_response))
        return int(server.status[:3]), answer, server

    return send


def test_a_chunked_body_arrives(call):
    assert call("/echo", b"hello", chunked=True)[:2] == (200, b"hello")


def test_a_body_with_its_length_arrives(call):
    assert call("/echo", b"hello")[:2] == (200, b"hello")


def test_a_chunked_form_arrives(call):
    answer = call("/form", b"a=1&b=2", chunked=True, content_type="application/x-www-form-urlencoded")
    assert json.loads(answer[1]) == {"a": "1", "b": "2"}


def test_a_chunked_multipart_form_arrives(call):
    body = b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--X--\r\n'
    answer = call("/form", body, chunked=True, content_type="multipart/form-data; boundary=X")
    assert json.loads(answer[1]) == {"a": "1"}


@pytest.mark.parametrize("chunked", [True, False])
def test_a_parser_of_the_rest_framework_reads_it(call, chunked):
    status, answer, _ = call("/parsed", b'{"x": [1]}', chunked=chunked)
    assert (status, json.loads(answer)) == (200, {"got": {"x": [1]}})


def test_a_parser_of_the_rest_framework_takes_an_empty_chunked_body_for_malformed(call):
    assert call("/parsed", b"", chunked=True)[0] == 400


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_fills_the_limit_is_read(call, chunked):
    assert call("/echo", b"x" * 100, chunked=chunked)[0] == 200


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_over_the_limit_is_413_and_read_away(call, chunked):
    status, answer, server = call("/echo", b"x" * 101, chunked=chunked)
    assert status == 413
    assert json.loads(answer) == {"detail": "The body is larger than 100 bytes."}
    assert not server.closed


@pytest.mark.parametrize("chunked", [True, False])
def test_a_parser_of_the_rest_framework_meets_the_default_limit(call, settings, chunked):
    settings.API_BODY_MAX_BYTES = 10
    assert call("/parsed", b'{"x": "too long"}', chunked=chunked)[0] == 413


def test_a_view_raises_its_own_limit(call, settings):
    settings.API_BODY_MAX_BYTES = 10
    assert call("/generous", b"x" * 2_000_000, chunked=True)[:2] == (200, b"2000000")
    assert call("/generous", b"x" * 3_000_001, chunked=True)[0] == 413


def test_a_body_shorter_than_its_length_is_400(call):
    status, answer, server = call("/echo", b"short", length="50")
    assert status == 400
    assert "ended early" in json.loads(answer)["detail"]
    assert server.closed


def test_a_body_that_middleware_reads_is_bounded_too(call, settings):
    settings.API_BODY_MAX_BYTES = 10
    body = b"csrfmiddlewaretoken=" + b"x" * 100
    status, _, _ = call(
        "/protected", body, content_type="application/x-www-form-urlencoded", HTTP_COOKIE=f"csrftoken={'y' * 32}"
    )
    assert status == 413


def test_a_body_that_nobody_reads_is_read_before_the_answer(call):
    body = io.BytesIO(b"x" * 5000)
    status, _, server = call("/ignoring", body, chunked=True)
    assert (status, body.read(), server.closed) == (200, b"", False)


def test_the_connection_is_closed_on_a_large_body_that_nobody_reads(call):
    body = Endless()
    assert call("/ignoring", body, chunked=True)[2].closed
    assert body.given < 80_000_000


def test_a_client_that_sent_more_than_allowed_has_sent_it_all_before_it_is_told(call, settings):
    settings.API_BODY_MAX_BYTES = 10
    body = io.BytesIO(b"x" * 20_000_000)
    status, _, _ = call("/echo", body, chunked=True)
    assert (status, body.read()) == (413, b"")


class Endless:
    given = 0

    def read(self, size):
        self.given += size
        return b"x" * size

    readline = read


class Fails:
    def __init__(self, error):
        self.error = error

    def read(self, size):
        raise self.error

    readline = read


@pytest.mark.parametrize(("error", "status"), [(TimeoutError(), 408), (ConnectionResetError(), 400), (EOFError(), 400)])
def test_what_the_connection_reports_becomes_an_answer(call, error, status):
    got, _, server = call("/echo", Fails(error), chunked=True)
    assert (got, server.closed) == (status, True)


def test_a_fault_of_ours_is_no_fault_of_the_body(call):
    assert call("/echo", Fails(ZeroDivisionError()), chunked=True)[0] == 500


def test_an_unreadable_length_counts_as_no_body(call):
    assert call("/echo", b"", length="many")[:2] == (200, b"")


def test_the_test_client_reads_and_is_bounded(settings):
    settings.ROOT_URLCONF = __name__
    client = Client()
    assert client.post("/echo", b"hello", content_type="text/plain").content == b"hello"
    assert client.post("/echo", b"x" * 101, content_type="text/plain").status_code == 413


ODD_TYPES = [
    "multipart/form-data; boundary*0=a; boundary*",
    "text/plain; a*=hex'x'y",
    "text/plain; a*=none-such'x'y",
    "application/x-www-form-urlencoded; charset=hex",
    "application/x-www-form-urlencoded; charset=idna",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=undefined",
]


@pytest.mark.parametrize("content_type", ODD_TYPES)
@pytest.mark.parametrize("address", ["/echo", "/form", "/parsed"])
def test_a_content_type_that_nobody_can_read_is_an_answer(call, address, content_type):
    status, _, _ = call(address, b"a=1", content_type=content_type, QUERY_STRING="a=%41")
    assert status in (200, 400, 415)


@pytest.mark.parametrize(("charset", "expected"), [("utf-8", "\xe9"), ("latin-1", "\xc3\xa9"), ("hex", "\xe9")])
def test_a_form_is_read_in_its_charset_where_that_is_one_of_texts(charset, expected):
    environ = RequestFactory()._base_environ(
        CONTENT_TYPE=f"application/x-www-form-urlencoded; charset={charset}", QUERY_STRING="a=%C3%A9"
    )
    assert WireRequest(environ).GET["a"] == expected


def test_reading_twice_gives_the_same_body(call):
    request = WireRequest(
        {"wsgi.input": io.BytesIO(b"hello"), "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": "5"}
    )
    assert read_body(request, limit=10) == read_body(request, limit=10) == b"hello"


def stream(data, *, declared=None, limit=1000, connection=None, pace=PACE):
    return BodyStream(io.BytesIO(data), declared=declared, limit=limit, pace=pace, connection=connection)


@given(st.binary(max_size=300), st.lists(st.integers(0, 50), max_size=30), st.booleans())
def test_pieces_of_any_size_make_up_the_body(data, sizes, declared):
    body = stream(data, declared=len(data) if declared else None)
    assert b"".join([*map(body.read, sizes), body.read()]) == data


@given(st.lists(st.binary(max_size=20)))
def test_lines_make_up_the_body(lines):
    data = b"\n".join(lines)
    assert b"".join(iter(stream(data).readline, b"")) == data


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_body_over_the_limit_gets_through(data, limit):
    body = stream(data, limit=limit)
    if len(data) <= limit:
        assert body.read() == data
    else:
        with pytest.raises(BodyTooLarge):
            body.read()


def test_a_failure_stays():
    body = stream(b"x", declared=5)
    for _ in range(2):
        with pytest.raises(BodyBroken):
            body.read()


def test_a_declared_body_is_not_read_past_its_end():
    source = io.BytesIO(b"bodyNEXT")
    body = BodyStream(source, declared=4, limit=100, pace=PACE, connection=None)
    assert (body.read(), body.ended, source.read()) == (b"body", True, b"NEXT")


class Drip:
    """A connection that gives one byte at a time, and a clock that runs on with each."""

    def __init__(self):
        self.received = 0
        self.allow = None

    def limit_reads(self, allow):
        self.allow = allow

    def unlimit_reads(self):
        self.allow = None

    def read(self, size):
        while True:
            self.allow()
            self.received += 1
            time.sleep(0.005)


def test_a_drip_is_cut_off_inside_one_read():
    drip = Drip()
    body = BodyStream(drip, declared=None, limit=1000, pace=Pace(idle=1.0, base=0.1), connection=drip)
    with pytest.raises(BodyTooSlow):
        body.read()


@pytest.mark.parametrize(
    ("elapsed", "received", "expected"),
    [(0, 0, 10), (55, 0, 5), (61, 0, -1), (61, 8192 * 100, 10), (99, 8192 * 100, 1), (101, 8192 * 100, -1)],
)
def test_who_sends_enough_may_take_longer(elapsed, received, expected):
    assert PACE.remaining(0.0, elapsed, received) == expected
