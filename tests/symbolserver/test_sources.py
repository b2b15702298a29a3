"""Source files for clients of debuginfod, out of the source bundles of a project."""

from __future__ import annotations

import pytest

from symbolserver.models import Serving
from tests.debugfiles.uploading import LEDGER_CODE_ID, LEDGER_DEBUG_ID, upload
from tests.symbolserver.asking import ask, content_of, source_bundle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs", "environment")]

TEXT = b"int main() { return 0; }\n"
BOTH = {"debug_id": LEDGER_DEBUG_ID, "code_id": LEDGER_CODE_ID}


def source(path, token=None, build_id=LEDGER_CODE_ID):
    return ask(f"buildid/{build_id}/source/{path}", token)


@pytest.mark.parametrize("ids", [BOTH, {"debug_id": LEDGER_DEBUG_ID}], ids=["both ids", "debug id alone"])
def test_a_source_file_of_a_build(ids, acme_project, token):
    upload(acme_project, source_bundle("/srv/build/main.c", TEXT, **ids), "main.src.zip")
    answer = source("srv/build/main.c", token)
    assert (answer.status_code, content_of(answer)) == (200, TEXT)
    assert answer["Content-Length"] == str(len(TEXT))
    assert content_of(ask(f"buildid/{LEDGER_CODE_ID.upper()}/source/srv/build/main.c", token)) == TEXT
    part = ask(f"buildid/{LEDGER_CODE_ID}/source/srv/build/main.c", token, range="bytes=0-2")
    assert (part.status_code, content_of(part)) == (206, TEXT[:3])


@pytest.mark.parametrize("path", ["srv/build/./main.c", "srv/build/x/../main.c", "//srv/build//main.c"])
def test_a_path_that_is_not_tidy_is_found_all_the_same(path, acme_project, token):
    upload(acme_project, source_bundle("/srv/build/main.c", TEXT, **BOTH), "main.src.zip")
    assert content_of(source(path, token)) == TEXT


def test_a_path_of_windows(acme_project, token):
    upload(acme_project, source_bundle("C:\\build\\main.c", TEXT, **BOTH), "main.src.zip")
    assert content_of(source("C:/build/main.c", token)) == TEXT


@pytest.mark.parametrize("path", ["srv/build/Main.c", "manifest.json", "../../../etc/passwd", "files/srv/build/main.c"])
def test_what_the_bundle_does_not_list_is_not_found(path, acme_project, token):
    upload(acme_project, source_bundle("/srv/build/main.c", TEXT, **BOTH), "main.src.zip")
    assert source(path, token).status_code == 404


def test_sources_need_a_token_unless_they_are_public(acme_project, token):
    upload(acme_project, source_bundle("/srv/build/main.c", TEXT, **BOTH), "main.src.zip")
    assert source("srv/build/main.c").status_code == 401
    Serving.objects.create(project=acme_project, public=True)
    assert content_of(source("srv/build/main.c")) == TEXT
    assert source("srv/build/main.c", build_id="aabbccdd").status_code == 404


def test_without_a_bundle_one_query_says_so(acme_project, token, django_assert_num_queries):
    source("srv/build/main.c", token)
    with django_assert_num_queries(2):
        assert source("srv/build/main.c", token).status_code == 404
