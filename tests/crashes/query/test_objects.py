"""Fetching crashes and their files, and who may."""

from __future__ import annotations

import gzip
import json

import pytest
from django.test import Client

from crashes.models import Crash
from crashes.results import Frame, Result, Thread
from tests.cast import Api, make_project, make_token
from tests.crashes.stored import add_attachment, add_result, make_crash

pytestmark = pytest.mark.django_db


@pytest.fixture
def crash(acme_project):
    made = make_crash(
        acme_project, b"MDMP\x00raw", title="SIGSEGV", attributes={"hostname": "h"}, classifiers=["SIGSEGV"]
    )
    frames = [Frame(function="crash", filename="a.c", lineno=7), Frame(instruction_addr="0x1234", trust="scan")]
    threads = [Thread([], id="1"), Thread(frames, id="2", name="main", crashed=True)]
    add_result(made, Result(platform="native", reason="SIGSEGV / SEGV_MAPERR", threads=threads))
    return made


@pytest.fixture
def token(acme, acme_project):
    return make_token(acme, acme_project, scopes=["object:get", "query:post", "event:raw"])


def get(token, crash, path="get", **values):
    named = {"token": token, "object": crash.object_id, **values}
    return Client().get(f"/api/{path}", {name: value for name, value in named.items() if value is not None})


def content(answer):
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def refused(answer, status):
    assert answer.status_code == status
    error = answer.json()["error"]
    assert isinstance(error["code"], int)
    return error["message"]


@pytest.mark.parametrize("resource", [None, "json.gz", "json"])
def test_a_crash_is_fetched_as_json(token, crash, resource):
    answer = get(token, crash, resource=resource)

    body = content(answer)
    report = json.loads(body if resource == "json" else gzip.decompress(body))
    assert report["_rxid"] == crash.rxid
    assert report["attributes"] == {"hostname": "h"}
    assert report["mainThread"] == "2"
    assert report["threads"]["2"] == {
        "name": "main",
        "fault": True,
        "stack": [
            {"funcName": "crash", "path": "a.c", "line": 7},
            {"address": "0x1234", "guessed_frame": True},
        ],
    }
    assert report["callstack"] == {"frame": ["crash", "0x1234"]}
    assert report["result"]["reason"] == "SIGSEGV / SEGV_MAPERR"
    extension = resource or "json.gz"
    assert answer["Content-Disposition"] == f'attachment; filename="{crash.object_id}.{extension}"'
    assert "Content-Encoding" not in answer


@pytest.mark.parametrize("resource", ["txt", "txt.gz"])
def test_a_crash_is_fetched_as_text(token, crash, resource):
    body = content(get(token, crash, resource=resource))

    lines = (gzip.decompress(body) if resource == "txt.gz" else body).decode().splitlines()
    assert lines[0] == "SIGSEGV"
    assert lines[-3:] == ["thread 2 main (crashed)", "  0 crash (a.c:7)", "  1 0x1234"]


def test_a_crash_is_found_by_its_rxid_too(token, crash):
    assert content(get(token, crash, object=crash.rxid.upper(), resource="txt"))


def test_a_crash_that_waits_has_no_result_yet(token, acme_project):
    waiting = make_crash(acme_project, b"x", state=Crash.State.PENDING)

    assert "pending" in refused(get(token, waiting), 404)
    assert content(get(token, waiting, resource="raw")) == b"x"


@pytest.mark.parametrize(
    ("format_", "extension"),
    [("minidump", "dmp"), ("plcrash", "plcrash"), ("btt", "btt"), ("json", "json"), ("event", "json")],
)
def test_what_came_in_is_fetched_byte_for_byte(token, acme_project, format_, extension):
    crash = make_crash(acme_project, b"raw\x00\xff", format=format_)

    answer = get(token, crash, resource="raw")

    assert content(answer) == b"raw\x00\xff"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Length"] == "5"
    assert answer["Content-Disposition"].endswith(f'.{extension}"')


def test_attachments_are_listed_and_fetched_by_name_or_id(token, crash):
    first = add_attachment(crash, "log.txt", b"first", content_type="text/html", filename="../evil\r\n.html")
    second = add_attachment(crash, "log.txt", b"second", inline=True)

    listed = get(token, crash, "list", view="attachments").json()

    assert listed == {
        "attachments": [
            {"id": str(first.pk), "name": "log.txt", "size": 5, "content_type": "text/html", "inline": False},
            {"id": str(second.pk), "name": "log.txt", "size": 6, "content_type": "", "inline": True},
        ]
    }
    shown = get(token, crash, resource="log.txt")
    assert content(shown) == b"first"
    assert shown["Content-Type"] == "application/octet-stream"
    assert shown["Content-Disposition"] == 'attachment; filename=".._evil__.html"'
    for values in (
        {"resource": f"_attachment-{second.pk}"},
        {"attachment_id": str(second.pk)},
        {"attachment_id": str(second.pk), "attachment_inline": "true"},
    ):
        assert content(get(token, crash, **values)) == b"second"
    assert content(get(token, crash, attachment_name="log.txt")) == b"first"


@pytest.mark.parametrize(
    "values",
    [
        {"object": ""},
        {"object": "fffffff"},
        {"object": "f" * 15},
        {"object": "f" * 16},
        {"object": "-1"},
        {"object": "01000000-7e23-7a1e-0000-000000000000"},
        {"object": "x\x00"},
        {"resource": "nothing.txt"},
        {"resource": "_attachment-999999"},
        {"resource": "_attachment-" + "9" * 18},
        {"attachment_id": "x"},
        {"attachment_id": "9" * 30},
        {"attachment_name": ""},
    ],
    ids=str,
)
def test_what_is_not_there_is_404(token, crash, values):
    refused(get(token, crash, **values), 404)


def test_an_attachment_of_another_crash_is_not_there(token, crash, acme_project):
    other = add_attachment(make_crash(acme_project))

    refused(get(token, crash, attachment_id=str(other.pk)), 404)


def test_a_blob_that_is_gone_is_said_before_anything_is_sent(token, crash):
    Crash.objects.filter(pk=crash.pk).update(blob_key="crashes/aa/bb/gone")

    refused(get(token, crash, resource="raw"), 404)


def test_raw_reports_and_attachments_need_a_scope_of_their_own(acme, acme_project, crash):
    add_attachment(crash)
    token = make_token(acme, acme_project, scopes=["object:get"])

    assert "event:raw" in refused(get(token, crash, resource="raw"), 403)
    assert "event:raw" in refused(get(token, crash, resource="log.txt"), 403)
    assert "event:raw" in refused(get(token, crash, attachment_name="log.txt"), 403)
    assert content(get(token, crash))
    assert get(token, crash, "list").status_code == 200


def send(client, address, token, **named):
    """Asks one of the addresses about acme's crash."""
    path = {
        "get": f"/api/get?object={named.pop('object')}&resource=txt",
        "list": f"/api/list?object={named.pop('same')}",
        "query": "/api/query?x=",
        "describe": "/api/query?action=describe",
    }[address]
    more = "".join(f"&{name}={value}" for name, value in {"token": token, **named}.items() if value is not None)
    if address in ("query", "describe"):
        return client.post(path + more, "{}", content_type="application/json")
    return client.get(path + more)


@pytest.mark.parametrize("address", ["get", "list", "query", "describe"])
def test_only_the_projects_own_tokens_open_it(address, acme, acme_project, umbrella, umbrella_project, crash):
    other = make_project(acme, "other")
    scopes = ["object:get", "query:post"]
    wrong = ["query:post"] if address in ("get", "list") else ["object:get"]
    wrong += ["event:read", "event:raw", "error:post", "project:read"]
    named = {"object": crash.object_id, "same": crash.object_id}

    def status(token, **more):
        answer = send(Client(), address, token, **named, **more)
        if answer.status_code != 200:
            refused(answer, answer.status_code)
        return answer.status_code

    own = make_token(acme, acme_project, scopes=scopes)
    assert status(own) == 200
    assert status(own, universe="acme", project="native-app") == 200
    assert status(own, universe="ACME", project=str(acme_project.pk)) == 200
    assert status(own, universe="umbrella") == 403
    assert status(own, project="other") == 403
    assert status(own, project="nowhere") == 403
    whole = make_token(acme, scopes=scopes)
    assert status(whole, project="native-app") == 200
    assert status(whole) == 403
    assert status(None) == 403
    assert status("0" * 64) == 403
    assert status(make_token(acme, acme_project, scopes=wrong)) == 403
    theirs = make_token(umbrella, umbrella_project, scopes=scopes)
    assert status(theirs, universe="acme", project="native-app") == 403
    if address in ("get", "list"):
        assert status(theirs) == 404
        assert status(make_token(acme, other, scopes=scopes)) == 404
        assert status(whole, project="other") == 404


def test_the_token_may_stand_in_headers_or_in_the_body(token, crash):
    headers = {"X-Coroner-Token": token, "X-Coroner-Location": "https://crashes.example.com"}

    assert Client().get(f"/api/get?object={crash.object_id}", headers=headers).status_code == 200
    assert Client().post("/api/query", "{}", content_type="application/json", headers=headers).status_code == 200
    assert Api().post("/api/query", {"token": token, "universe": "acme"}).status_code == 200
    assert refused(Api().post("/api/query", {"token": token, "universe": "umbrella"}), 403)


def test_a_login_answers_with_the_token_that_it_came_with(token):
    answer = Api().post("/api/login", {"token": token})

    assert answer.status_code == 200
    assert answer.json()["token"] == token
    assert answer.json()["error"] is None
    for body in ({"token": "0" * 64}, {"username": "u", "password": "p"}, {}, [], "{"):
        message = refused(Api().post("/api/login", body), 403)
        assert "0000" not in message


def test_a_configuration_names_the_projects_that_the_token_opens(acme, acme_project, token, umbrella_project):
    make_project(acme, "other")
    whole = make_token(acme, scopes=["query:post"])

    bound, every = (Client().get("/api/config", {"token": one}).json() for one in (token, whole))

    assert bound["universe"]["name"] == "acme"
    assert [project["name"] for project in bound["projects"]] == ["native-app"]
    assert [project["name"] for project in every["projects"]] == ["native-app", "other"]
    assert token not in json.dumps(bound)


def test_describe_names_what_can_be_asked(acme, acme_project, token):
    make_crash(acme_project, attributes={"hostname": "h", "gpu.vendor": "v"})
    make_crash(make_project(acme, "other"), attributes={"secret.of.others": 1})

    found = Api().post(f"/api/query?action=describe&token={token}").json()["describe"]

    kinds = {one["name"]: (one["type"], one["format"], one["custom"]) for one in found}
    assert kinds["hostname"] == ("dictionary", "none", True)
    assert kinds["timestamp"] == ("uint64", "unix_timestamp", False)
    assert kinds["callstack"] == ("dictionary", "callstack", False)
    assert "gpu.vendor" in kinds
    assert "secret.of.others" not in kinds
    refused(Api().post(f"/api/query?action=drop&token={token}"), 400)


@pytest.mark.parametrize(("address", "method"), [("get", "POST"), ("list", "POST"), ("query", "GET"), ("login", "GET")])
def test_other_methods_are_refused_and_browsers_may_ask(address, method, token):
    answer = Api().request(method, f"/api/{address}?token={token}")

    refused(answer, 405)
    assert "OPTIONS" in answer["Allow"]
    asked = Api().request("OPTIONS", f"/api/{address}")
    assert asked.status_code == 204
    assert "X-Coroner-Token" in asked["Access-Control-Allow-Headers"]
