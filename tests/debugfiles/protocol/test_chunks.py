"""What the server says it takes, and chunks: verified, bounded, of one organization, forgotten when unused."""

from __future__ import annotations

import gzip
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.blobs import blob_store
from debugfiles.contents import delete_unused
from debugfiles.models import Blob
from debugfiles.protocol import chunk_api
from debugfiles.protocol.chunks import CHUNK_BYTES, delete_unused_chunks, find_chunks
from debugfiles.protocol.models import Chunk
from tests.cast import Api, make_organization, make_project, make_token
from tests.debugfiles.protocol.sending import CHUNKS, assemble, cut, send_chunks, send_parts, sha1
from tests.debugfiles.uploading import PROGUARD

pytestmark = pytest.mark.django_db

CHUNK = b"a chunk of a file"
LIMITS = {"chunkSize", "chunksPerRequest", "maxFileSize", "maxRequestSize", "concurrency"}


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def error(answer) -> str:
    assert answer.status_code == 400, answer.content
    (name,) = answer.json()
    return answer.json()[name]


def test_capabilities_have_all_that_clients_demand(api):
    said = api.get(CHUNKS).json()

    assert set(said) == {"url", "hashAlgorithm", "compression", "accept", *LIMITS}
    assert said["url"] == f"http://testserver{CHUNKS}"
    assert (said["hashAlgorithm"], said["compression"]) == ("sha1", ["gzip"])
    # 2.39.1 stops for a chunk size that is no power of two; a file of 16 GiB has to be possible.
    assert said["chunkSize"] & (said["chunkSize"] - 1) == 0
    assert said["maxFileSize"] >= 16 << 30
    assert all(isinstance(said[name], int) for name in LIMITS)
    # Without these, clients of version 2 fall back to ways that end nowhere.
    assert {"debug_files", "release_files", "artifact_bundles", "artifact_bundles_v2"} <= set(said["accept"])


def test_the_address_for_chunks_is_on_the_host_that_was_asked(api):
    asked = api.get(CHUNKS, host="symbols.example.com", x_forwarded_proto="https")
    assert asked.json()["url"] == f"https://symbols.example.com{CHUNKS}"


def test_a_body_of_json_type_does_not_matter_to_a_get(api):
    assert api.request("GET", CHUNKS, b"", content_type="application/json").status_code == 200


@pytest.mark.parametrize("packed", [True, False])
def test_chunks_are_kept_for_the_organization(api, acme, packed):
    answer = send_chunks(api, CHUNK, b"another", packed=packed)

    assert (answer.status_code, answer.json()) == (200, {})
    found = find_chunks(acme, {sha1(CHUNK), sha1(b"another"), sha1(b"absent")})
    assert {key: found[key].size for key in found} == {sha1(CHUNK): len(CHUNK), sha1(b"another"): 7}
    assert b"".join(blob_store().pieces(found[sha1(CHUNK)].key)) == CHUNK


def test_the_same_chunk_may_come_again(api):
    assert send_chunks(api, CHUNK, CHUNK).status_code == 200
    assert send_chunks(api, CHUNK).status_code == 200
    assert (Chunk.objects.count(), Blob.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_chunk_from_four_clients_at_once(acme):
    token = make_token(acme)
    content = CHUNK * 100_000

    def send(_number: int) -> int:
        try:
            return send_chunks(Api(token), content).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as clients:
        assert list(clients.map(send, range(4))) == [200] * 4
    assert (Chunk.objects.count(), Blob.objects.filter(state=Blob.STORED).count()) == (1, 1)


def test_no_chunk_at_all_is_no_error(api):
    assert send_parts(api, []).status_code in {200, 400}
    assert send_parts(api, [("other", "name", b"x")]).status_code == 200


def test_a_chunk_that_is_not_what_it_is_named_is_refused(api):
    assert "checksum" in error(send_parts(api, [("file", sha1(b"other"), CHUNK)]))
    assert "checksum" in error(send_parts(api, [("file_gzip", sha1(gzip.compress(CHUNK)), gzip.compress(CHUNK))]))
    for name in ("", "chunk", sha1(CHUNK).upper(), sha1(CHUNK) + "0"):
        assert "SHA-1" in error(send_parts(api, [("file", name, CHUNK)]))
    assert not Chunk.objects.exists()


@pytest.mark.parametrize(
    "broken",
    [b"", b"not gzip", gzip.compress(CHUNK, mtime=0)[:-6], zlib.compress(CHUNK)],
    ids=["nothing", "other bytes", "cut off", "zlib"],
)
def test_broken_gzip_is_refused(api, broken):
    error(send_parts(api, [("file_gzip", sha1(CHUNK), broken)]))
    assert not Chunk.objects.exists()


def test_chunks_before_a_bad_one_are_kept(api):
    error(send_parts(api, [("file", sha1(CHUNK), CHUNK), ("file", sha1(b"x"), b"y")]))
    assert Chunk.objects.get().sha1 == sha1(CHUNK)


def test_a_chunk_that_is_too_large_is_refused(api):
    assert error(send_parts(api, [("file", sha1(CHUNK), bytes(CHUNK_BYTES + 1))])) == "Chunk size too large"


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(api, settings, tmp_path):
    # Other tests upload at the same time.
    settings.DATA_DIR = tmp_path
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 1 << 17
    assert error(send_parts(api, [("file_gzip", sha1(CHUNK), bomb)])) == "Chunk size too large"
    assert not list(blob_store()._directory.glob("*"))


def test_more_than_a_request_may_hold_is_refused(api, monkeypatch):
    monkeypatch.setattr(chunk_api, "REQUEST_BYTES", 3 * len(CHUNK) - 1)
    assert error(send_chunks(api, CHUNK, CHUNK, CHUNK)) == "Request too large"
    monkeypatch.setattr(chunk_api.ChunkUpload, "body_limit", 100)
    assert error(send_chunks(api, CHUNK)) == "Request too large"


def test_more_chunks_than_a_request_may_hold_are_refused(api, monkeypatch):
    monkeypatch.setattr(chunk_api, "CHUNKS_PER_REQUEST", 3)
    chunks = [b"a", b"b", b"c", b"d"]
    assert send_chunks(api, *chunks[:-1]).status_code == 200
    assert error(send_chunks(api, *chunks)) == "Too many chunks"


def test_chunks_of_another_organization_are_missing(api, acme):
    umbrella = make_organization("umbrella")
    make_project(umbrella, "native-app")
    other = Api(make_token(umbrella))
    send_chunks(api, *cut(PROGUARD))

    path = "/api/0/projects/umbrella/native-app/files/difs/assemble/"
    state = assemble(other, PROGUARD, path=path)
    assert (state["state"], state["missingChunks"]) == ("not_found", [sha1(chunk) for chunk in cut(PROGUARD)])


def test_unused_chunks_are_forgotten_after_a_day_and_their_contents_too(api, acme):
    send_chunks(api, CHUNK, b"used")
    Chunk.objects.update(last_used=timezone.now() - timedelta(hours=25))
    Blob.objects.update(last_used=timezone.now() - timedelta(hours=25))
    assert delete_unused() == 0
    find_chunks(acme, {sha1(b"used")})

    assert delete_unused_chunks() == 1
    assert delete_unused() == 1
    assert [row.sha1 for row in Chunk.objects.all()] == [sha1(b"used")]
    assert blob_store().exists(Blob.objects.get().key)


@hypothesis_settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["file", "file_gzip", "x"]), st.text(max_size=44), st.binary(max_size=99)), max_size=3
    )
)
def test_whatever_is_sent_is_answered(api, parts):
    safe = [
        (name, filename.encode("ascii", "ignore").decode().strip('\r\n"\\'), data) for name, filename, data in parts
    ]
    assert send_parts(api, safe).status_code in {200, 400}
