"""Files from the web: what the rules allow, what is told of each try, and what is asked again when."""

from __future__ import annotations

import pytest

from engine.javascript import scraping as module
from engine.javascript.scraping import Door, Reason, ScrapeFailure, check_allowed, covers
from engine.javascript.wire import ScrapingRules
from engine.outgoing import Trust
from tests.engine.javascript.serving import MAP, SCRIPT, ask, frame, map_bytes, only_frame, request_of
from tests.engine.webserver import hang, reply

ANY = {"enabled": True, "allowed_origins": ["*"]}


def scrape(js, artifacts, path="/app.min.js", rules=ANY, **fields):
    """Ask about a frame of a script on the web server itself; what was answered about its script comes first."""
    request = request_of(frame(abs_path=artifacts.server.url + path), scraping=rules)
    answer = ask(js, artifacts.provider(**fields), request)
    return answer, {
        attempt["url"].removeprefix(artifacts.server.url): attempt for attempt in answer["scraping_attempts"]
    }


@pytest.fixture
def site(artifacts):
    artifacts.server.routes["/app.min.js"] = reply(body=SCRIPT)
    artifacts.server.routes["/app.min.js.map"] = reply(body=map_bytes())
    return artifacts


def test_script_and_map_from_the_web(js, site):
    answer, attempts = scrape(js, site)
    found = only_frame(answer)
    assert (found["function"], found["lineno"]) == ("start", 2)
    assert found["data"]["resolved_with"] == "scraping"
    url, _, at = found["data"]["sourcemap_origin"]["scraped_file"].partition("#")
    assert url == site.server.url + "/app.min.js.map"
    assert at.isdigit()
    assert [attempt["status"] for attempt in attempts.values()] == ["success", "success"]
    assert "errors" not in answer


def test_headers_of_scraped_files_are_no_reference_to_a_map(js, artifacts):
    artifacts.server.routes["/a.js"] = reply(body=b"x", SourceMap="app.min.js.map")
    answer, attempts = scrape(js, artifacts, "/a.js")
    assert only_frame(answer)["data"] == {"symbolicated": False}
    assert list(attempts) == ["/a.js"]


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (reply("404 None"), "not_found"),
        (reply(body=b""), "not_found"),
        (reply("403 No"), "permission_denied"),
        (reply("500 Oh"), "download_error"),
        (reply(body=b"\xff\xfea\0"), "other"),
        (reply("302 Found", Location="/app.min.js"), "download_error"),
    ],
    ids=["absent", "empty", "refused", "failing", "utf-16", "redirected to itself"],
)
def test_a_script_that_cannot_be_had_says_why(js, artifacts, answered, reason):
    artifacts.server.routes["/app.min.js"] = answered
    answer, attempts = scrape(js, artifacts)
    assert attempts["/app.min.js"]["reason"] == reason
    assert answer["errors"] == [{"abs_path": artifacts.server.url + "/app.min.js", "type": "missing_source"}]


def test_a_server_that_does_not_answer(js, artifacts, monkeypatch):
    monkeypatch.setattr("engine.outgoing.connections.HEADERS_SECONDS", 0.1)
    artifacts.server.routes["/app.min.js"] = hang
    _, attempts = scrape(js, artifacts)
    assert attempts["/app.min.js"]["reason"] == "timeout"


@pytest.mark.parametrize(
    ("rules", "reason", "details"),
    [
        ({"enabled": False, "allowed_origins": ["*"]}, "disabled", None),
        (
            {"enabled": True, "allowed_origins": []},
            "invalid_host",
            "{url}/app.min.js is not an allowed download origin",
        ),
        (
            {"enabled": True, "allowed_origins": ["a.test"]},
            "invalid_host",
            "{url}/app.min.js is not an allowed download origin",
        ),
    ],
)
def test_what_the_rules_forbid_is_not_asked_for(js, site, rules, reason, details):
    _, attempts = scrape(js, site, rules=rules)
    attempt = attempts["/app.min.js"]
    assert (attempt["status"], attempt["reason"]) == ("failure", reason)
    assert attempt.get("details") == (details and details.format(url=site.server.url))
    assert not [path for path in site.server.paths if path.startswith("/app")]


def test_only_disabled_scraping_is_an_error_of_its_own(js, site):
    answer, _ = scrape(js, site, rules={"enabled": False, "allowed_origins": []})
    assert [error["type"] for error in answer["errors"]] == ["scraping_disabled"]


def test_urls_of_other_schemes_are_not_scraped(js, artifacts):
    answer = ask(js, artifacts.provider(), request_of(frame(abs_path="app:///x.js"), scraping=ANY))
    (attempt,) = answer["scraping_attempts"]
    assert (attempt["reason"], attempt["details"]) == ("invalid_host", "`app` is not an allowed download scheme")


@pytest.mark.parametrize("path", ["/srv/x.js", "x.js", "<anonymous>", "http://", "http://["])
def test_what_is_no_absolute_url_is_no_attempt(js, artifacts, path):
    answer = ask(js, artifacts.provider(), request_of(frame(abs_path=path), scraping=ANY))
    assert "scraping_attempts" not in answer
    assert answer["errors"] == [{"abs_path": path, "type": "missing_source"}]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST:8080"])
def test_this_host_is_restricted_unless_it_is_trusted(host):
    with pytest.raises(ScrapeFailure, match="restricted host") as raised:
        check_allowed(f"http://{host}/x.js", Door(ScrapingRules()))
    assert raised.value.reason is Reason.INVALID_HOST
    check_allowed(f"http://{host}/x.js", Door(ScrapingRules(), Trust.ALL))


def test_reserved_addresses_are_not_connected_to(js, site):
    request = request_of(
        frame(abs_path=site.server.url.replace("127.0.0.1", "127.0.0.2") + "/app.min.js"), scraping=ANY
    )
    answer = ask(js, site.provider(), request, trust=Trust.NONE)
    (attempt,) = answer["scraping_attempts"]
    assert attempt["reason"] == "download_error"
    assert "restricted" in attempt["details"]


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://h.test:8080/a/b.js", "h.test:8080/a"),
        ("http://h.test:8080/a/b.js", "http://h.test:8080/*"),
        ("http://evil.test\\@h.test/a.js", "h.test"),
        ("http://evil.test\\.h.test/a.js", "*.h.test"),
        ("http://h.test /a.js", "*"),
        ("http://h.test/a\r\nb.js", "*"),
    ],
)
def test_not_covered(url, pattern):
    """A pattern with port and path matches nothing; URLs that parsers read differently are nobody's."""
    assert not covers(url, (pattern,))


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://h.test:8080/a/b.js", "http://h.test:8080/a/b.js"),
        ("http://h.test:8080/a/b.js", "h.test:8080"),
        ("sp://any/x", "sp://*"),
        ("http://h.test/a b.js?x=\\", "h.test"),
    ],
)
def test_covered(url, pattern):
    assert covers(url, (pattern,))


def test_headers_go_along_and_framing_stays_ours(js, site):
    rules = ANY | {"headers": {"X-Sentry-Token": "t", "Host": "evil.test", "Content-Length": "5"}}
    scrape(js, site, rules=rules)
    asked = [asked for asked in site.server.asked if asked.target.startswith("/app")]
    assert {request.headers["x-sentry-token"] for request in asked} == {"t"}
    assert all(request.headers["host"].startswith("127.0.0.1") for request in asked)


def test_headers_do_not_follow_to_another_host(js, site):
    other = site.server.url.replace("127.0.0.1", "localhost")
    site.server.routes["/moved.js"] = reply("302 Found", Location=f"{other}/app.min.js")
    scrape(js, site, "/moved.js", rules=ANY | {"headers": {"X-Token": "t"}})
    (landed,) = [asked for asked in site.server.asked if asked.target == "/app.min.js"]
    assert "x-token" not in landed.headers


def test_what_other_headers_fetched_is_not_shared(js, site):
    scrape(js, site, rules=ANY | {"headers": {"X-Token": "one"}})
    scrape(js, site, rules=ANY | {"headers": {"X-Token": "two"}})
    scrape(js, site, rules=ANY | {"headers": {"X-Token": "two"}})
    assert site.server.paths.count("/app.min.js") == 2


def test_every_hour_it_is_asked_for_again(js, site, monkeypatch):
    now = [1_800_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    starts = set()
    for step in (0, 3599, 3600):
        now[0] = 1_800_000_000.0 + step + 1
        answer, _ = scrape(js, site)
        starts.add(only_frame(answer)["data"]["sourcemap_origin"]["scraped_file"].partition("#")[2])
    assert len(starts) == 2
    assert site.server.paths.count("/app.min.js") == 2
    first, second = sorted(map(int, starts))
    assert second - first == 3600


def test_urls_have_hours_of_their_own():
    assert len({module._hour_of(f"http://h/{number}", 1_800_000_000.0) for number in range(50)}) > 40


def test_a_missing_source_is_scraped_beside_its_map(js, site):
    site.server.routes["/app.min.js.map"] = reply(body=map_bytes(sourcesContent=None))
    site.server.routes["/src/app.js"] = reply(body=b"one\ntwo\nthree")
    answer, attempts = scrape(js, site)
    assert only_frame(answer)["context_line"] == "two"
    assert attempts["/src/app.js"]["status"] == "success"


def test_fragments_are_no_part_of_what_is_asked_for(js, site):
    scrape(js, site, "/app.min.js#x")
    assert "/app.min.js" in site.server.paths
    assert MAP["file"] == "app.min.js"
