"""Who may do what in the upload protocol: every endpoint, every kind of caller."""

from __future__ import annotations

import pytest

from debugfiles.models import ArtifactBundle, DebugFile, Release
from debugfiles.protocol.models import Chunk
from projects.scopes import SCOPES
from tests.cast import Api, make_project, make_token
from tests.debugfiles.protocol.sending import (
    ASSEMBLE,
    BUNDLES,
    CHUNKS,
    ORGANIZATION,
    PACKED,
    UNKNOWN,
    cut,
    send_chunks,
    wanted,
    wanted_bundle,
)
from tests.debugfiles.uploading import APP, PROGUARD, bundle_of, upload_file

pytestmark = pytest.mark.django_db

UPLOAD = {"project:write", "project:admin", "project:releases", "org:ci"}
READ = {"project:read", *UPLOAD}
DELETE = {"project:admin", "project:releases"}
BUNDLE = bundle_of(APP)
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="m.txt"\r\n\r\n' + PROGUARD + b"\r\n--x--\r\n"
MULTIPART = {"content_type": "multipart/form-data; boundary=x"}

# Method, address, body, headers, the status when allowed, the scopes of which any one suffices.
ENDPOINTS = [
    ("GET", CHUNKS, None, {}, 200, READ),
    ("POST", CHUNKS, b"--x--\r\n", MULTIPART, 200, UPLOAD),
    ("POST", ASSEMBLE, wanted(PROGUARD), {}, 200, UPLOAD),
    ("POST", BUNDLES, wanted_bundle(BUNDLE), {}, 200, UPLOAD),
    ("GET", UNKNOWN, None, {}, 200, READ),
    ("POST", PACKED, FORM, MULTIPART, 201, UPLOAD),
    ("GET", f"{ORGANIZATION}releases/", None, {}, 200, READ),
    ("POST", f"{ORGANIZATION}releases/", {"version": "2.0", "projects": ["native-app"]}, {}, 201, UPLOAD),
    ("GET", f"{ORGANIZATION}releases/1.0/", None, {}, 200, READ),
    ("PUT", f"{ORGANIZATION}releases/1.0/", {}, {}, 200, UPLOAD),
    ("DELETE", f"{ORGANIZATION}releases/1.0/", None, {}, 204, DELETE),
]
each_endpoint = pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "sufficing"),
    ENDPOINTS,
    ids=[f"{row[0]} {row[1]}" for row in ENDPOINTS],
)


@pytest.fixture(autouse=True)
def _what_is_there(acme, acme_project):
    upload_file(acme_project, "1.0", "~/a.js")
    send_chunks(Api(make_token(acme)), *cut(PROGUARD), *cut(BUNDLE))


def counts():
    return [model.objects.count() for model in (Chunk, DebugFile, ArtifactBundle, Release)]


def test_without_a_token_or_with_anothers_nothing_opens(umbrella):
    before = counts()
    callers = (Api(), Api("f" * 64), Api(make_token(umbrella)))
    for method, path, body, headers, *_ in ENDPOINTS:
        found = [api.request(method, path, body, **headers).status_code for api in callers]
        assert (found, counts()) == ([401] * 3, before), (method, path)


@each_endpoint
def test_every_scope_that_suffices_does_and_all_others_together_do_not(
    acme, method, path, body, headers, status, sufficing
):
    before = counts()
    others = [scope for scope in SCOPES if scope not in sufficing]
    assert Api(make_token(acme, scopes=others)).request(method, path, body, **headers).status_code == 403
    assert counts() == before
    for scope in sorted(sufficing) if status == 200 else [min(sufficing)]:
        token = make_token(acme, scopes=[scope])
        assert Api(token).request(method, path, body, **headers).status_code == status


@each_endpoint
def test_a_token_of_a_sibling_project_reaches_nothing_of_this_one(acme, method, path, body, headers, status, sufficing):
    bound = Api(make_token(acme, make_project(acme, "sibling")))
    before = counts()
    answer = bound.request(method, path, body, **headers)
    if path == CHUNKS:
        # Chunks are the organization's; what is made of them is a project's.
        assert answer.status_code == 200
    elif path == f"{ORGANIZATION}releases/" and method == "GET":
        assert answer.json() == []
    else:
        assert answer.status_code in {400, 404}
    assert counts() == before


@each_endpoint
def test_a_token_of_the_project_itself_suffices(acme, acme_project, method, path, body, headers, status, sufficing):
    assert Api(make_token(acme, acme_project)).request(method, path, body, **headers).status_code == status
