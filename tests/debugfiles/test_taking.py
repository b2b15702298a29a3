"""Archives of debug files and source maps by the services: what is stored, what is refused, what is recorded."""

from __future__ import annotations

import gzip
import json

import pytest

from core.api import ApiError
from debugfiles.models import ArtifactBundle, ArtifactEntry, Blob, DebugFile
from debugfiles.providers import project_artifacts
from debugfiles.records.models import UploadRecord
from debugfiles.taking import source_maps, symbols, take_source_maps, take_symbols
from debugfiles.taking.source_maps import symbolication_uuid
from engine.javascript.artifacts import Kind, Query
from engine.javascript.bundles import open_bundle
from engine.modules import DebugId
from engine.outgoing import Deadline
from projects.access import SYSTEM
from tests.cast import Api, make_token
from tests.debugfiles.archives.building import FIXTURES, tarred, zipped
from tests.debugfiles.uploading import LEDGER, LEDGER_DEBUG_ID, PROGUARD, access_to, incoming, upload

SYM_ID = "7fbe8839-3844-ce5c-25e3-99210deb9a5f"
MAP_ID = "6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a"
MAP = {"version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA"}


@pytest.fixture
def project(acme_project):
    return acme_project


def taken(project, content, name="upload"):
    with incoming(content, name) as made:
        return take_symbols(project=project, actor=SYSTEM, upload=made)


def maps_taken(project, content, name="upload", **options):
    with incoming(content, name) as made:
        return take_source_maps(project=project, actor=SYSTEM, upload=made, **options)


def test_of_an_archive_every_debug_file_is_stored_and_the_rest_is_named(project):
    sy = (FIXTURES / "libledger.so.sy_").read_bytes()
    files = {
        "bin/libledger.so": LEDGER.read_bytes(),
        "sym/libledger.so.sy_": sy,
        "mapping.txt": PROGUARD,
        "README": b"hello",
        "package.json": b"{}",
        "broken.so": LEDGER.read_bytes()[:200],
        "../escape.so": LEDGER.read_bytes(),
    }
    outcome = taken(project, zipped(files), "symbols.zip")

    assert {one.name for one in outcome.taken} == {"bin/libledger.so", "libledger.so.sym", "mapping.txt"}
    assert {one.name for one in outcome.refused} == {"README", "package.json", "broken.so", "../escape.so"}
    stored = {row.object_name: row.debug_id for row in DebugFile.objects.filter(project=project)}
    assert stored["libledger.so"] == LEDGER_DEBUG_ID
    assert stored["libledger.so.sym"] == SYM_ID


def test_what_was_there_already_is_taken_again_without_another_row(project):
    upload(project, LEDGER.read_bytes(), "libledger.so")
    outcome = taken(project, tarred([("libledger.so", LEDGER.read_bytes())]))
    assert outcome.taken_count == 1
    assert DebugFile.objects.count() == 1


def test_a_single_file_and_a_packed_one(project):
    assert taken(project, LEDGER.read_bytes(), "libledger.so").taken[0].ids == (LEDGER_DEBUG_ID,)
    packed = taken(project, gzip.compress(LEDGER.read_bytes()), "again.so.gz")
    assert [(one.name, one.ids) for one in packed.taken] == [("again.so", (LEDGER_DEBUG_ID,))]
    assert Blob.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped({"README": b"hello"}), "README: not a debug file"),
        (zipped({}), "it holds no files"),
        (zipped({"../../x.so": LEDGER.read_bytes()}), "leads out of the archive"),
        (LEDGER.read_bytes()[:100], "not a debug file"),
        (b"Rar!\x1a\x07\x01\0" + b"x" * 600, "RAR, which is not readable here; send ZIP, tar"),
        (gzip.compress(tarred([("a", b"x" * 5000)]))[:60], "cannot be read"),
    ],
    ids=["a text", "nothing", "a way out", "a stump", "RAR", "cut off"],
)
def test_an_upload_of_which_nothing_can_be_taken_is_refused_with_the_reason(project, content, reason):
    with pytest.raises(ApiError, match=reason) as caught:
        taken(project, content, "symbols")
    assert caught.value.status == 400
    assert not Blob.objects.exists()


def test_what_was_taken_before_an_archive_breaks_off_stays_and_the_rest_is_told(project):
    content = tarred([("libledger.so", LEDGER.read_bytes()), ("mapping.txt", PROGUARD * 500)])
    outcome = taken(project, content[: LEDGER.stat().st_size + 4096])
    assert outcome.taken_count == 1
    assert "ends too early" in outcome.problem


def test_a_quota_ends_an_archive_and_the_client_is_told(project, monkeypatch):
    def full(**_):
        raise ApiError("full", status=413, code="quota")

    monkeypatch.setattr(symbols, "store_debug_file", full)
    with pytest.raises(ApiError, match="full"):
        taken(project, zipped({"libledger.so": LEDGER.read_bytes()}))


def found(project, debug_id, kind):
    provider = project_artifacts(access_to(project))
    query = Query(None, None, (), (DebugId.parse(debug_id),), kind=kind)
    return provider, provider.lookup(query, Deadline.never())


def test_a_map_is_found_by_its_debug_id_and_has_a_script_to_stand_in(project, tmp_path):
    content = json.dumps({**MAP, "debugId": MAP_ID}).encode()
    outcome = maps_taken(project, content, "app.js.map")
    assert [(one.name, one.ids) for one in outcome.taken] == [("app.js.map", (MAP_ID,))]

    provider, (listed,) = found(project, MAP_ID, Kind.SOURCE_MAP)
    path = tmp_path / "bundle"
    with path.open("wb") as target:
        provider.fetch(listed, target, Deadline.never())
    bundle = open_bundle(path)
    debug_id = DebugId.parse(MAP_ID)
    assert bundle.content(bundle.find_id(debug_id, Kind.SOURCE_MAP), max_bytes=1000) == content
    assert bundle.content(bundle.find_id(debug_id, Kind.MINIFIED_SOURCE), max_bytes=1000) == b""


def test_where_debug_ids_come_from(project):
    ids = [f"{number}1111111-2222-4333-8444-555555555555" for number in range(6)]
    plain = json.dumps(MAP).encode()
    files = [
        ("key.js.map", json.dumps({**MAP, "debugId": ids[0]}).encode()),
        ("other-key.js.map", b")]}'\n" + json.dumps({**MAP, "debug_id": ids[1]}).encode()),
        (f"{ids[2]}-named.js.map", plain),
        ("dir/app.js.map", plain),
        ("dir/app.js", f"x()\n//# debugId={ids[3]}\n".encode()),
        ("lone.js", f"x()\n//# debugId={ids[4]}\n".encode()),
        ("paired.js", b"y()"),
        ("paired.js.map", json.dumps({**MAP, "debugId": ids[5]}).encode()),
        ("without.js.map", plain),
        ("data.json", b'{"a": 1}'),
    ]
    outcome = maps_taken(project, gzip.compress(tarred(files)))

    expected = [ids[0], ids[1], ids[2], ids[3], ids[3], ids[4], ids[5], ids[5]]
    assert [one.ids[0] for one in outcome.taken] == expected
    assert {one.name: one.reason for one in outcome.refused}.keys() == {"without.js.map", "data.json"}
    entries = ArtifactEntry.objects.values_list("debug_uuid", "kind").distinct().count()
    assert entries == 6 * 2 - 1


def test_the_same_maps_make_the_same_bundle(project):
    content = json.dumps({**MAP, "debugId": MAP_ID}).encode()
    assert maps_taken(project, content, "a.js.map").bundle == maps_taken(project, content, "a.js.map").bundle
    assert ArtifactBundle.objects.count() == 1


@pytest.mark.parametrize("named", ["11111111222243338444555555555555", "build 17"])
def test_a_symbolication_id_is_one_more_id_of_the_only_map(project, named):
    outcome = maps_taken(project, json.dumps(MAP).encode(), "a.js.map", symbolication_id=named)
    assert outcome.taken[0].ids == (str(symbolication_uuid(named)),)
    both = maps_taken(project, json.dumps({**MAP, "debugId": MAP_ID}).encode(), "a.js.map", symbolication_id=named)
    assert both.taken[0].ids == (MAP_ID, str(symbolication_uuid(named)))
    two = zipped({"a.js.map": json.dumps(MAP).encode(), "b.js.map": json.dumps(MAP).encode()})
    with pytest.raises(ApiError, match="names one source map"):
        maps_taken(project, two, symbolication_id=named)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(json.dumps(MAP).encode(), "it has no debug id"), (b"hello", "neither a source map nor a script"),
     (b"{" * 100_000, "neither"), (b"", "neither")],
)  # fmt: skip
def test_maps_that_are_of_no_use(project, content, reason):
    with pytest.raises(ApiError, match=reason):
        maps_taken(project, content, "x.map")
    assert not ArtifactBundle.objects.exists()


def test_the_number_of_maps_is_bounded(project, monkeypatch):
    monkeypatch.setattr(source_maps, "MAX_FILES", 3)
    with pytest.raises(ApiError, match="more than 3 scripts"):
        maps_taken(project, zipped({f"{n}.js": b"x" for n in range(4)}))


@pytest.fixture
def api(project):
    return Api(make_token(project.organization, project))


def url_of(project, end="debug-files/"):
    return f"/api/0/projects/{project.organization.slug}/{project.slug}/{end}"


def test_plain_rest_takes_archives_and_says_where_the_rest_is_told(api, project):
    content = zipped({"libledger.so": LEDGER.read_bytes(), "README": b"hello"})
    answer = api.post(url_of(project) + "?name=symbols.zip", content, content_type="application/octet-stream")
    assert answer.status_code == 201
    assert [one["debugId"] for one in answer.json()] == [LEDGER_DEBUG_ID]

    shown = api.get(answer["Location"].partition("testserver")[2]).json()
    assert shown["files"]["taken"] == [{"name": "libledger.so", "ids": [LEDGER_DEBUG_ID]}]
    assert shown["files"]["refused"] == [{"name": "README", "reason": "not a debug file"}]
    assert (shown["name"], shown["takenCount"], shown["refusedCount"]) == ("symbols.zip", 1, 1)
    assert shown["tokenPrefix"] == api.token[:8]
    (listed,) = api.get(url_of(project, "uploads/")).json()
    assert listed == {key: value for key, value in shown.items() if key != "files"}


def test_a_debug_id_cannot_be_given_to_an_archive(api, project):
    answer = api.post(
        url_of(project) + f"?debug_id={MAP_ID}", zipped({"a": b"b"}), content_type="application/octet-stream"
    )
    assert (answer.status_code, answer.json()["field"]) == (400, "debug_id")


def test_uploads_are_seen_in_their_own_project_alone(api, project, umbrella_project):
    made = UploadRecord.objects.create(
        project=umbrella_project, rxid="x", format="symbols", size=1, taken=1, refused=0, tag="v1"
    )
    assert api.get(url_of(project, "uploads/")).json() == []
    assert api.get(url_of(project, f"uploads/{made.pk}/")).status_code == 404
    assert api.get(url_of(umbrella_project, "uploads/")).status_code == 401
    theirs = Api(make_token(umbrella_project.organization, scopes=["event:read"]))
    assert theirs.get(url_of(umbrella_project, "uploads/")).status_code == 403


def test_nothing_is_ever_written_but_contents_and_spool(project, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    names = ["../up.so", "/abs.so", "a/../../b.so", "good/libledger.so", "C:\\x.so", "~/x.so", "sub/x.sym.gz"]
    taken(project, zipped({name: LEDGER.read_bytes() for name in names}), "x.zip")
    with pytest.raises(ApiError):
        taken(project, tarred([("../up.so", b"\x7fELF")]))

    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.parts[:3] for path in written] == [("data", "blobs", "content")]
