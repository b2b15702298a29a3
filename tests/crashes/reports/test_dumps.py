"""Minidumps and PLCrashReporter's reports, with what was uploaded to their project."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from django.utils import timezone

from core.blobs import BlobError, blob_store
from crashes.models import CrashRules
from crashes.reports import UnreadableReport, examine
from crashes.results import Failure, packed, unpacked
from engine.minidump import Cpu, Os
from engine.outgoing import Deadline
from sources.models import SymbolSource
from tests.crashes.reports.reporting import crashed, examined, report
from tests.debugfiles.uploading import upload
from tests.engine.apple.reports import plcrash_report
from tests.engine.minidump.writer import Writer
from tests.engine.run.gdb_frames import CRASHES, OWN, assert_same_chain, own_files, physical, seen
from tests.engine.run.reports import unpacked as content
from tests.engine.run.serving import FIXTURES

# Lookups have connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("environment")]


def dump(crash="segv-worker-nofp"):
    return content(FIXTURES / f"crash/{crash}.dmp.xz")


def put_symbols(project, crash):
    for name, data in own_files(crash).items():
        upload(project, data, name)


def chains(frames):
    """Frames with those that were inlined into each, innermost first."""
    found, chain = [], []
    for frame in frames:
        chain.append(msgspec.to_builtins(frame))
        if not frame.inline:
            found.append(chain)
            chain = []
    assert not chain
    return found


def own(chain):
    return (chain[-1].get("module") or chain[-1].get("package", "").rpartition("/")[2]) in OWN


@pytest.mark.parametrize("build", ["dw4", "fp", "nofp"])
def test_the_crashed_thread_reads_as_in_gdb(build, acme_project):
    crashes = [crash for crash, of in CRASHES.items() if of == build]
    put_symbols(acme_project, crashes[0])
    for crash in crashes:
        outcome = examined(acme_project, "minidump", dump(crash))
        theirs = next(thread for thread in seen(crash)["threads"] if thread["crashed"])
        (thread,) = [thread for thread in outcome.result.threads if thread.crashed]
        assert thread.id == str(theirs["tid"])
        ours = [chain for chain in chains(thread.frames) if own(chain)]
        expected = [chain for chain in physical(theirs) if own(chain)]
        assert len(expected) >= 10
        for mine, other in zip(ours[: len(expected)], expected, strict=True):
            assert_same_chain([{"function": None, "filename": None, "lineno": None} | frame for frame in mine], other)
        assert [chain[-1]["function"] for chain in ours[len(expected) :]] in ([], ["_start"])


def modules_of(result):
    return {module.code_file.rpartition("/")[2]: module for module in result.modules}


def test_a_dump_without_symbols_says_what_it_lacks(acme_project):
    outcome = examined(acme_project, "minidump", dump())
    kinds = {(lack.kind, lack.name.rpartition("/")[2]) for lack in outcome.lacks}
    assert {("debug_file", "crashy"), ("unwind_file", "crashy"), ("debug_file", "libledger.so")} <= kinds
    ledger = next(lack for lack in outcome.lacks if lack.name.endswith("libledger.so"))
    assert ledger.debug_id == "7fbe8839-3844-ce5c-25e3-99210deb9a5f"
    assert ledger.debug_uuid == UUID(ledger.debug_id)
    assert ledger.code_id == "3988be7f44385cce25e399210deb9a5f57be012e"
    assert ledger.module == {
        "type": "elf",
        "code_id": ledger.code_id,
        "code_file": ledger.name,
        "debug_id": ledger.debug_id,
        "debug_file": ledger.name,
    }
    assert ledger.next_try_at is None
    assert "no symbol source" in ledger.cause
    assert outcome.facts.unnamed_count == outcome.facts.frame_count > 0


def test_what_was_found_is_not_lacked(acme_project):
    put_symbols(acme_project, "segv-worker-nofp")
    outcome = examined(acme_project, "minidump", dump())
    named = {lack.name.rpartition("/")[2] for lack in outcome.lacks}
    assert not named & OWN
    assert "libc.so.6" in named
    assert modules_of(outcome.result)["libc.so.6"].diagnosis["verdict"] == "not_found"
    assert modules_of(outcome.result)["crashy"].diagnosis is None
    assert 0 < outcome.facts.unnamed_count < outcome.facts.frame_count


def test_a_file_without_debug_information_leaves_it_lacking(acme_project):
    for name, data in own_files("segv-worker-nofp").items():
        stripped = run_strip(data)
        upload(acme_project, stripped, name)
    outcome = examined(acme_project, "minidump", dump())
    ledger = [lack for lack in outcome.lacks if lack.name.endswith("libledger.so")]
    assert [(lack.kind, lack.module, lack.next_try_at) for lack in ledger] == [("debug_file", {}, None)]


def run_strip(data):
    if shutil.which("strip") is None:
        pytest.skip("needs strip")
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        subprocess.run(["strip", "--strip-debug", file.name], check=True)
        return Path(file.name).read_bytes()


def test_a_source_that_had_nothing_says_when_it_is_asked_again(acme, acme_project, server):
    config = {"url": server.url, "layout": {"type": "native"}}
    SymbolSource.objects.create(
        organization=acme,
        project=acme_project,
        source_id="builds",
        type="http",
        name="Builds",
        position=1,
        config=config,
    )
    outcome = examined(acme_project, "minidump", dump())
    due = {lack.next_try_at for lack in outcome.lacks if lack.name.endswith("crashy")}
    assert due
    for moment in due:
        assert timedelta(0) < moment - timezone.now() < timedelta(days=2)


_made = []


@pytest.fixture
def outcome(request):
    """Of a dump with its program's symbols. It is made once, and nobody changes it."""
    if not _made:
        project = request.getfixturevalue("acme_project")
        put_symbols(project, "segv-worker-nofp")
        attributes = {"application.version": "1.4.2", "ver": "9"}
        _made.append(examined(project, "minidump", dump(), attributes=attributes))
    return _made[0]


class TestTheResult:
    def test_the_facts(self, outcome):
        facts = outcome.facts
        assert (facts.platform, facts.version, facts.os_name, facts.arch) == ("native", "1.4.2", "Linux", "x86_64")
        assert facts.frame_count == sum(len(thread.frames) for thread in outcome.result.threads)

    def test_the_crash(self, outcome):
        result = outcome.result
        assert result.reason == "SIGSEGV / SEGV_MAPERR / 0x10"
        crashed_at = result.threads.index(result.crashed_thread)
        assert result.failures == [Failure("SIGSEGV", "SEGV_MAPERR / 0x10", stack=crashed_at)]
        assert (result.system.os_name, result.system.cpu_arch) == ("Linux", "x86_64")
        assert result.timestamp > 1.7e9
        assert result.crashed_thread.registers["rip"].startswith("0x")

    def test_inlined_functions(self, outcome):
        frames = crashed(outcome.result)[:4]
        assert [frame.inline for frame in frames] == [True, True, True, False]
        assert len({frame.instruction_addr for frame in frames}) == 1

    def test_what_is_the_applications_own(self, outcome):
        own = {
            frame.package.rpartition("/")[2]: frame.in_app
            for thread in outcome.result.threads
            for frame in thread.frames
            if frame.package
        }
        assert own == {"crashy": True, "libledger.so": True, "libc.so.6": False, "libstdc++.so.6": False} | {
            name: False for name in own if name.startswith(("ld-linux", "libm.", "libgcc"))
        }

    def test_a_guessed_stack_says_so(self, outcome):
        said = outcome.result.crashed_thread.diagnosis
        assert said["file"] == "libstdc++.so.6"
        assert outcome.result.modules[said["module"]].code_file.endswith("/libstdc++.so.6")

    def test_it_is_stored_and_read_again(self, outcome):
        again = unpacked(packed(outcome.result))
        assert msgspec.json.encode(again) == msgspec.json.encode(outcome.result)

    def test_it_is_compact(self, outcome):
        assert len(packed(outcome.result)) < 24 * 1024


def test_patterns_of_the_project_say_what_is_its_own(acme_project):
    CrashRules.objects.create(project=acme_project, in_app=["libstdc++.so.6"], not_in_app=["*/crashy"])
    outcome = examined(acme_project, "minidump", dump())
    own = {
        frame.package.rpartition("/")[2]: frame.in_app for thread in outcome.result.threads for frame in thread.frames
    }
    assert (own["libstdc++.so.6"], own["crashy"], own["libledger.so"]) == (True, False, True)


@pytest.mark.parametrize("told", ["decimal", "hex", "number"])
def test_the_submission_may_name_the_thread_that_counts(told, acme_project):
    first = examined(acme_project, "minidump", dump()).result.threads[0]
    wanted = {"decimal": first.id, "hex": hex(int(first.id)), "number": int(first.id)}[told]
    result = examined(acme_project, "minidump", dump(), modifiers={"_mod_faulting_tid": wanted}).result
    assert [thread.id for thread in result.threads if thread.crashed] == [first.id]
    assert result.failures[0].stack == 0


def test_a_thread_that_is_not_there_is_not_chosen(acme_project):
    result = examined(acme_project, "minidump", dump(), modifiers={"_mod_faulting_tid": "12"}).result
    assert [thread.crashed for thread in result.threads].count(True) == 1


def test_the_version_that_the_dump_itself_tells(acme_project):
    written = Writer(Cpu.X86_64, Os.WINDOWS).crashpad({"ver": "7.1", "prod": "Shop", "api_key": "canary7f3"})
    outcome = examined(acme_project, "minidump", written.build())
    assert outcome.facts.version == "7.1"
    assert outcome.result.annotations["dump"]["annotations"] == {"ver": "7.1", "prod": "Shop", "api_key": "[redacted]"}


@pytest.mark.parametrize(
    "content", [b"", b"MDMP", b"MDMP" + b"\xff" * 400, b"not a dump at all"], ids=["empty", "short", "damaged", "other"]
)
def test_what_is_no_dump_cannot_be_read_ever(content, acme_project):
    with pytest.raises(UnreadableReport) as raised:
        examined(acme_project, "minidump", content)
    assert raised.value.message.startswith("The minidump cannot be read: ")
    assert raised.value.message.endswith(".")


@pytest.mark.parametrize("length", [200, 5_000, 20_000, 60_000])
def test_a_dump_that_was_cut_is_read_as_far_as_it_goes_or_said_to_be_unreadable(length, acme_project):
    with suppress(UnreadableReport):
        assert packed(examined(acme_project, "minidump", dump()[:length]).result)


def test_a_dump_in_a_store_without_files_is_fetched(acme_project, monkeypatch):
    crash = report(acme_project, "minidump", dump())
    monkeypatch.setattr(type(blob_store()), "local_path", lambda self, key: None)
    assert examine(crash, Deadline.after(60)).result.reason == "SIGSEGV / SEGV_MAPERR / 0x10"


def test_a_dump_that_is_not_there_is_a_matter_of_trying_again(acme_project):
    crash = report(acme_project, "minidump", dump())
    blob_store().delete(crash.blob_key)
    with pytest.raises(BlobError):
        examine(crash, Deadline.after(60))


def test_what_was_uploaded_after_the_crash_was_loaded_is_found(acme_project):
    crash = report(acme_project, "minidump", dump())
    assert crash.project.files_revision == 0
    put_symbols(acme_project, "segv-worker-nofp")
    assert crash.project.files_revision == 0
    assert crashed(examine(crash, Deadline.after(60)).result)[0].function


class TestPlcrash:
    def test_threads_and_images(self, acme_project):
        outcome = examined(acme_project, "plcrash", plcrash_report(), attributes={"application.version": "3"})
        result = outcome.result
        assert [thread.id for thread in result.threads if thread.crashed] == ["0"]
        assert result.reason == "EXC_CRASH (SIGABRT)"
        assert "NSInvalidArgumentException" in result.crash_details
        assert (outcome.facts.os_name, outcome.facts.arch, outcome.facts.version) == ("iOS", "arm64", "3")
        assert {frame.package: frame.in_app for frame in crashed(result)} == {
            "/private/var/containers/Bundle/Application/X/Shop.app/Shop": True
        } | {frame.package: False for frame in crashed(result) if "libsystem" in frame.package}
        assert {lack.debug_id for lack in outcome.lacks} >= {"6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a"}

    @pytest.mark.parametrize("cut", [0, 7, 60])
    def test_what_is_none_cannot_be_read_ever(self, cut, acme_project):
        with pytest.raises(UnreadableReport):
            examined(acme_project, "plcrash", plcrash_report()[:cut])
