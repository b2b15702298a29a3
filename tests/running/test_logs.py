import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from symbolsvc import logs

TOKEN = "0123abcd" + "ef" * 28


@pytest.fixture
def lines():
    """Configure logging as the service does; what is written, line by line."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)

    def configured(style):
        logs.configure(level="INFO", style=style)
        stream = io.StringIO()
        (handler,) = root.handlers
        handler.setStream(stream)
        return stream

    yield configured
    root.handlers, _ = before[0], root.setLevel(before[1])
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    "text",
    [
        f"GET /api/0/?token={TOKEN}&x=1",
        f"/{TOKEN}/post",
        f"Authorization: Bearer {TOKEN}",
        TOKEN.upper(),
        f"{TOKEN}{TOKEN}",
        "Bearer sntrys_eyJpYXQiOjE3_abc/def+g=",
        "sntryu_0123456789abcdef",
        "authorization: Basic YWRtaW46aHVudGVyMg==",
        "fetch https://admin:hunter2@symbols.example/x",
        "Bearer%20abcdefghijkl",
    ],
)
def test_secrets_are_masked(text):
    masked = logs.mask(text)
    for secret in (TOKEN[8:], TOKEN.upper()[8:], "eyJpYX", "0123456789abcdef", "YWRtaW46", "hunter2", "abcdefghijkl"):
        assert secret not in masked


def test_the_visible_name_of_a_token_stays():
    assert logs.mask(f"token {TOKEN} used") == "token 0123abcd… used"


@pytest.mark.parametrize(
    "text", ["debug id dfb8e43a-f242-3d73-a453-aeb6a777ef75-a", "f" * 40, "https://host/path", "basic idea"]
)
def test_what_is_no_secret_stays(text):
    assert logs.mask(text) == text


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_token_is_masked_wherever_it_stands(before, after):
    assert TOKEN not in logs.mask(before + TOKEN + after)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_is_masked(lines, style):
    stream = lines(style)
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError:
        logging.getLogger("any").exception("while using %s", TOKEN)
    assert "ValueError" in stream.getvalue()
    assert TOKEN[8:] not in stream.getvalue()


def test_json_lines_carry_the_request_id(lines):
    stream = lines("json")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    logging.getLogger("django.request").warning("Not Found: /x")
    structlog.get_logger("ours").warning("happened", count=3)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["request_id"], first["level"]) == ("Not Found: /x", "r-1", "warning")
    assert (second["event"], second["count"], second["logger"]) == ("happened", 3, "ours")


def test_lines_below_the_level_are_left_out(lines):
    stream = lines("json")
    logging.getLogger("any").debug("quiet")
    structlog.get_logger("any").debug("quiet")
    assert stream.getvalue() == ""


def test_production_writes_json_unless_told_otherwise():
    assert logs.style_of({"LOG_FORMAT": "", "SYMBOLSVC_ENV": "production"}) == "json"
    assert logs.style_of({"LOG_FORMAT": "", "SYMBOLSVC_ENV": "trial"}) == "console"
    assert logs.style_of({"LOG_FORMAT": "console", "SYMBOLSVC_ENV": "production"}) == "console"
