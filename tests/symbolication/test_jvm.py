"""The endpoints for JVM stacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from projects.models import ApiToken, Organization, Project
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import PROGUARD, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]

ROOT = "/symbolicate-jvm"
PROJECT = "/api/0/projects/acme/native-app/symbolicate-jvm/"
FRAME = {"function": "a", "module": "a.b", "lineno": 2, "index": 7}


@pytest.fixture
def acme_api(acme: Organization, acme_project: Project) -> Api:
    return Api(make_token(acme, scopes=["symbolicate:post"]))


def body(**more: Any) -> dict[str, Any]:
    return {"stacktraces": [{"frames": [FRAME]}], "modules": [{"uuid": str(uuid4()), "type": "proguard"}], **more}


def test_without_a_mapping_frames_stay_and_the_mapping_is_named(acme_api: Api) -> None:
    asked = body()
    answer = acme_api.post(ROOT, {**asked, "sources": []}).json()

    assert answer["status"] == "completed"
    assert answer["errors"] == [{"uuid": asked["modules"][0]["uuid"], "type": "missing"}]
    assert answer["stacktraces"] == [{"frames": [FRAME], "exception": None}]
    explained = acme_api.post(PROJECT, asked).json()["stacktraces"][0]["frames"][0]
    assert explained["diagnosis"]["verdict"] == "mapping_unavailable"


# Lookups have connections of their own.
@pytest.mark.django_db(transaction=True)
def test_an_uploaded_mapping_makes_a_projects_stacks_readable(acme_api: Api, acme_project: Project) -> None:
    asked = body()
    upload(acme_project, PROGUARD, "mapping.txt", asked["modules"][0]["uuid"])

    answer = acme_api.post(PROJECT, {**asked, "classes": ["a.b"]}).json()

    (found,) = answer["stacktraces"][0]["frames"]
    assert (found["module"], found["function"], found["lineno"], found["index"]) == ("org.example.Main", "run", 11, 7)
    assert answer["classes"] == {"a.b": "org.example.Main"}
    assert answer["errors"] == []


def test_a_project_takes_no_sources_from_the_request(acme_api: Api) -> None:
    response = acme_api.post(PROJECT, body(sources=[]))

    assert response.status_code == 400
    assert response.json() == {"detail": "sources: the project's stored sources are used; leave this field out"}


def test_what_is_no_request_is_refused_in_plain_text(acme_api: Api) -> None:
    wrong: list[Any] = [
        body(),
        body(sources=None),
        body(sources={}),
        body(sources=[{"id": "a"}]),
        body(sources=[], modules=[{"uuid": "x", "type": "proguard"}]),
        body(sources=[], modules=[{"uuid": str(uuid4()), "type": "elf"}]),
        body(sources=[], stacktraces=[{"frames": [{"function": "a"}]}]),
        body(sources=[], stacktraces=[{}]),
        [],
    ]
    for request in wrong:
        response = acme_api.post(ROOT, request)
        assert response.status_code == 422, request
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert acme_api.post(ROOT, "{").status_code == 400
    assert acme_api.post(ROOT, "{}", content_type="text/plain").status_code == 415


def test_who_may_ask(acme: Organization, umbrella: Organization, acme_project: Project, environment: Any) -> None:
    good, full = Api(make_token(acme, scopes=["symbolicate:post"])), body(sources=[])
    scopeless, foreign = Api(make_token(acme, scopes=["project:admin"])), Api(make_token(umbrella))
    bound = Api(make_token(acme, project=make_project(acme, "other"), scopes=["symbolicate:post"]))

    assert [api.post(ROOT, full).status_code for api in (good, Api(), scopeless, foreign)] == [200, 401, 403, 200]
    asked = [api.post(PROJECT, body()).status_code for api in (good, Api(), scopeless, foreign, bound)]
    assert asked == [200, 401, 403, 401, 404]
    environment(SYMBOLICATOR_ANONYMOUS=True)
    assert [Api().post(ROOT, full).status_code, Api().post(PROJECT, body()).status_code] == [200, 401]
    ApiToken.objects.update(expires_at=datetime.now(UTC) - timedelta(minutes=1))
    assert [good.post(path, full).status_code for path in (ROOT, PROJECT)] == [401, 401]
