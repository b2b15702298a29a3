"""Debug files from chunks: the states that clients know, every kind of file, and what is wrong with a request."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.blobs import StoreFull, blob_store
from debugfiles.identify import proguard_uuid
from debugfiles.models import DebugFile
from debugfiles.protocol import assemblies
from debugfiles.protocol.models import Chunk
from debugfiles.retention.policy import set_rules
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.debugfiles.protocol.sending import (
    ASSEMBLE,
    UNKNOWN,
    assemble,
    cut,
    send_chunks,
    send_debug_file,
    sha1,
    wanted,
)
from tests.debugfiles.uploading import LEDGER, LEDGER_DEBUG_ID, PROGUARD, incoming, upload

pytestmark = pytest.mark.django_db

UUID = "12345678-1234-4234-8234-123456789abc"
BREAKPAD = b"MODULE Linux x86_64 000000000000000000000000000000A10 app\nFUNC 1000 10 0 main\n"
BCSYMBOLMAP = b"BCSymbolMap Version: 2.0\n_main\n"
UUID_MAP = f"""<?xml version="1.0"?><!DOCTYPE plist><plist version="1.0"><dict>
<key>DBGOriginalUUID</key><string>{UUID.upper()}</string></dict></plist>""".encode()
IL2CPP = b'{"Main.cpp": {"Main.cs": {"1": 2}}}'


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def test_the_chunks_that_are_not_there_are_asked_for(api):
    content = LEDGER.read_bytes()
    chunks = cut(content)
    send_chunks(api, *chunks[2:])

    state = assemble(api, content, "libledger.so")
    assert state == {"state": "not_found", "missingChunks": [sha1(chunk) for chunk in chunks[:2]], "detail": None}


def test_a_file_whose_chunks_are_all_there_is_ready_at_once(api, acme_project):
    content = LEDGER.read_bytes()
    state = send_debug_file(api, content, "libledger.so", debug_id=LEDGER_DEBUG_ID)

    assert (state["state"], state["missingChunks"], state["detail"]) == ("ok", [], None)
    dif = state["dif"]
    assert (dif["sha1"], dif["objectName"], dif["cpuName"]) == (sha1(content), "libledger.so", "x86_64")
    assert (dif["debugId"], dif["uuid"], dif["data"]["type"]) == (LEDGER_DEBUG_ID, LEDGER_DEBUG_ID, "lib")
    row = DebugFile.objects.get(project=acme_project)
    assert b"".join(blob_store().pieces(row.blob.key)) == content
    assert AuditEntry.objects.filter(action="debug_file.uploaded").count() == 1
    # Asked again, it is there, whatever became of the chunks.
    Chunk.objects.all().delete()
    assert assemble(api, content, "libledger.so")["state"] == "ok"
    assert AuditEntry.objects.filter(action="debug_file.uploaded").count() == 1


def test_no_answer_is_ever_created(api):
    """Clients read `created` in a first answer as "nothing to upload" and never learn of an error."""
    send_chunks(api, *cut(PROGUARD))
    assert assemble(api, PROGUARD)["state"] == "ok"


def test_several_files_in_one_request(api):
    many = {f"{number}": PROGUARD + b"# " + str(number).encode() for number in range(5)}
    send_chunks(api, *many.values())
    body = {key: value for content in many.values() for key, value in wanted(content).items()}
    body |= wanted(b"absent")

    answer = api.post(ASSEMBLE, body).json()
    assert set(answer) == set(body)
    assert sorted(entry["state"] for entry in answer.values()) == ["not_found"] + ["ok"] * 5


def mappings(count):
    return [PROGUARD + b"# %d" % number for number in range(count)]


def test_of_files_that_are_made_together_each_has_its_own_end(api, acme_project):
    good = mappings(assemblies._TOGETHER + 3)
    useless, torn = b"nothing of use", PROGUARD + b"# torn"
    send_chunks(api, *good, useless, torn[:-1])
    body = wanted(useless) | {sha1(torn): wanted(torn[:-1])[sha1(torn[:-1])]}
    for content in good:
        body |= wanted(content)

    answer = api.post(ASSEMBLE, body).json()
    assert [answer[sha1(content)]["state"] for content in good] == ["ok"] * len(good)
    assert [answer[sha1(content)]["dif"]["sha1"] for content in good] == [sha1(content) for content in good]
    assert "not a debug file" in answer[sha1(useless)]["detail"]
    assert "checksum" in answer[sha1(torn)]["detail"]
    rows = DebugFile.objects.filter(project=acme_project)
    assert {b"".join(blob_store().pieces(row.blob.key)) for row in rows} == set(good)
    assert AuditEntry.objects.filter(action="debug_file.uploaded").count() == len(good)


def test_a_quota_holds_for_files_that_are_made_together(api, acme_project):
    small, large = mappings(2), PROGUARD * 3
    set_rules(project=acme_project, actor=SYSTEM, keep_days=None, quota_bytes=len(small[0]) * 2 + 10, when_full=None)
    send_chunks(api, small[0], large, small[1])
    answer = api.post(ASSEMBLE, wanted(small[0]) | wanted(large) | wanted(small[1])).json()
    assert [answer[sha1(one)]["state"] for one in (small[0], large, small[1])] == ["ok", "error", "ok"]
    assert "quota" in answer[sha1(large)]["detail"]


def test_what_is_stored_is_told_whatever_became_of_other_tries(api, acme_project, monkeypatch):
    with monkeypatch.context() as busy:
        busy.setattr(assemblies, "AT_ONCE_SECONDS", 0)
        assert send_debug_file(api, PROGUARD)["state"] == "assembling"
    upload(acme_project, PROGUARD)
    assert assemble(api, PROGUARD)["state"] == "ok"


def test_nothing_asked_is_nothing_answered(api):
    assert api.post(ASSEMBLE, {}).json() == {}


def test_a_poll_without_chunks(api):
    assert assemble(api, b"")["state"] == "not_found"
    body = {sha1(PROGUARD): {"name": "x", "chunks": []}}
    assert api.post(ASSEMBLE, body).json() == {
        sha1(PROGUARD): {"state": "not_found", "missingChunks": [], "detail": None}
    }
    send_debug_file(api, PROGUARD)
    assert api.post(ASSEMBLE, body).json()[sha1(PROGUARD)]["state"] == "ok"


@pytest.mark.parametrize(
    ("content", "name", "debug_id", "expected"),
    [
        (BREAKPAD, "app.sym", None, ("breakpad", "00000000-0000-0000-0000-0000000000a1")),
        (BCSYMBOLMAP, f"{UUID}.bcsymbolmap", UUID, ("bcsymbolmap", UUID)),
        (UUID_MAP, f"{UUID}.plist", UUID, ("uuidmap", UUID)),
        (IL2CPP, "GameAssembly", UUID, ("il2cpp", UUID)),
        (PROGUARD, f"/proguard/{UUID}.txt", None, ("proguard", UUID)),
    ],
)
def test_every_kind_of_file_has_the_id_it_is_uploaded_with(api, content, name, debug_id, expected):
    state = send_debug_file(api, content, name, debug_id=debug_id)
    dif = state["dif"]
    assert (dif["symbolType"], dif["debugId"]) == expected
    # Clients know no empty word here.
    assert dif["data"]["type"] in {"dbg", None}


def test_one_mapping_under_two_uuids_is_two_files(api, acme_project):
    other = UUID.replace("1234", "4321")
    for given_id in (UUID, other):
        send_chunks(api, *cut(PROGUARD))
        assert assemble(api, PROGUARD, f"/proguard/{given_id}.txt")["dif"]["debugId"] == given_id
    assert DebugFile.objects.filter(project=acme_project).count() == 2
    assert assemble(api, PROGUARD, f"/proguard/{UUID}.txt")["dif"]["debugId"] == UUID


def test_a_mapping_without_a_uuid_has_one_by_its_content(api):
    with incoming(PROGUARD, "x") as made:
        own = str(proguard_uuid(made.incoming))
    assert send_debug_file(api, PROGUARD, "mapping.txt")["dif"]["debugId"] == own


def test_files_with_the_same_debug_id_stand_beside_each_other(api, acme_project):
    for content in (BREAKPAD, BREAKPAD + b"FUNC 2000 10 0 other\n"):
        assert send_debug_file(api, content, "app.sym")["state"] == "ok"
    assert DebugFile.objects.filter(project=acme_project).values("debug_id").distinct().count() == 1
    assert DebugFile.objects.filter(project=acme_project).count() == 2


def test_what_is_no_debug_file_is_an_error_with_a_reason(api):
    for _ in range(2):
        send_chunks(api, b"nothing of use")
        state = assemble(api, b"nothing of use", "notes.txt")
        assert state["state"] == "error"
        assert "notes.txt" in state["detail"]
    assert "dif" not in state


def test_chunks_that_do_not_add_up_are_an_error(api):
    send_chunks(api, *cut(PROGUARD))
    body = {sha1(b"other"): wanted(PROGUARD)[sha1(PROGUARD)]}
    assert "checksum" in api.post(ASSEMBLE, body).json()[sha1(b"other")]["detail"]


def test_a_file_that_is_too_large_is_an_error_before_anything_is_written(api, monkeypatch):
    monkeypatch.setattr("debugfiles.protocol.assembling.max_upload_bytes", lambda: len(PROGUARD) - 1)
    state = send_debug_file(api, PROGUARD)
    assert (state["state"], "larger than" in state["detail"]) == ("error", True)


def test_a_chunk_whose_content_is_gone_is_asked_for_again(api):
    send_chunks(api, *cut(PROGUARD))
    blob_store().delete(Chunk.objects.get().blob.key)

    assert assemble(api, PROGUARD)["state"] == "error"
    assert assemble(api, PROGUARD)["state"] == "not_found"
    send_chunks(api, *cut(PROGUARD))
    assert assemble(api, PROGUARD)["state"] == "ok"


def test_a_full_store_asks_clients_to_try_again(api, monkeypatch):
    send_chunks(api, *cut(PROGUARD))

    def full(*_arguments):
        raise StoreFull

    monkeypatch.setattr("debugfiles.protocol.assembling.blob_store", full)
    assert api.post(ASSEMBLE, wanted(PROGUARD)).status_code == 507
    monkeypatch.undo()
    assert assemble(api, PROGUARD)["state"] == "ok"


def test_a_deleted_file_is_made_again(api, acme_project):
    send_debug_file(api, PROGUARD)
    DebugFile.objects.all().delete()
    assert assemble(api, PROGUARD)["state"] == "ok"
    Chunk.objects.all().delete()
    DebugFile.objects.all().delete()
    assert assemble(api, PROGUARD)["state"] == "not_found"


def test_a_file_of_another_project_is_not_this_ones(api, acme):
    upload(make_project(acme, "sibling"), PROGUARD)
    assert assemble(api, PROGUARD)["state"] == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        "5",
        {"abc": {"name": "x", "chunks": []}},
        {"A" * 40: {"name": "x", "chunks": []}},
        {"a" * 40: {"chunks": []}},
        {"a" * 40: {"name": "x"}},
        {"a" * 40: {"name": None, "chunks": []}},
        {"a" * 40: {"name": "x", "chunks": ["x"]}},
        {"a" * 40: {"name": "x", "chunks": [5]}},
        {"a" * 40: {"name": "x\0", "chunks": []}},
        {"a" * 40: []},
    ],
    ids=repr,
)
def test_a_bad_body_is_refused_with_one_key(api, body):
    answer = api.post(ASSEMBLE, body if isinstance(body, str) else json.dumps(body))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_fields_that_nobody_knows_are_no_error(api):
    send_chunks(api, *cut(PROGUARD))
    assert assemble(api, PROGUARD, more={"is": ["sent"]}, debug_id="nonsense")["state"] == "ok"


def test_which_checksums_are_unknown(api):
    send_debug_file(api, PROGUARD)
    asked = f"{UNKNOWN}?checksums={sha1(PROGUARD)}&checksums={'a' * 40}&checksums=x%00&checksums={'a' * 40}"
    assert api.get(asked).json() == {"missing": ["a" * 40, "x\0"]}
    assert api.get(UNKNOWN).json() == {"missing": []}


def test_after_some_seconds_the_rest_goes_to_the_background(api, monkeypatch):
    monkeypatch.setattr(assemblies, "AT_ONCE_SECONDS", 0)
    assert send_debug_file(api, PROGUARD)["state"] == "assembling"


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["a" * 40, "b" * 40, sha1(PROGUARD)]),
        st.fixed_dictionaries(
            {
                "name": st.text(max_size=20),
                "chunks": st.lists(st.sampled_from([sha1(PROGUARD), sha1(b"x"), "c" * 40]), max_size=3),
            },
            optional={"debug_id": st.one_of(st.none(), st.text(max_size=40), st.just(UUID))},
        ),
    )
)
def test_whatever_is_asked_is_answered_for_each_checksum(api, body):
    send_chunks(api, PROGUARD, b"x")
    answer = api.post(ASSEMBLE, body)
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert set(answer.json()) == set(body)
        assert {entry["state"] for entry in answer.json().values()} <= {"ok", "error", "not_found"}
