"""What makes a minidump different from a request for native stacks: threads, modules, lookups, and what is not said."""

from __future__ import annotations

import struct
import uuid

import pytest
from symbolic import Archive

from engine.errors import BadReport, DeadlineExceeded
from engine.minidump import Cpu, Os
from engine.outgoing import Deadline
from engine.run import walks
from engine.run.report_wire import ReportOptions, decode_rewrite
from engine.unwind import OpenCfis
from tests.engine.minidump.writer import Writer
from tests.engine.run.gdb_frames import own_files
from tests.engine.run.reports import ANSWER_ALL, ask_dump, directory_source, put, put_breakpad, put_elf, stacks
from tests.engine.run.serving import BASE, INLINED, PLAIN, http_source
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import hang, reply

LEDGER = own_files("fpe-worker-nofp")["libledger.so"]
BUILD_ID = bytes.fromhex(next(Archive.from_bytes(LEDGER).iter_objects()).code_id)
STACK = 0x7FFD00000000
CLIENT_STACKS = 0x53790001


@pytest.fixture
def library(tmp_path):
    put_elf(tmp_path, LEDGER)
    return directory_source(tmp_path)


def crashed(**fields) -> Writer:
    """A dump of one thread that stands in the library."""
    dump = Writer(**fields).module(BASE, 0x8000, "/opt/app/libledger.so", build_id=BUILD_ID)
    return dump.thread(7, {"rip": BASE + PLAIN, "rsp": STACK}, stack=(STACK, bytes(64)), name="main")


def client_stacks(threads: dict[int, list[tuple[int, str]]]) -> bytes:
    """The stream of stacks that a program wrote itself."""
    table, rows, symbols = b"", b"", b""
    count = 0
    for thread, frames in threads.items():
        table += struct.pack("<III", thread, count, len(frames))
        count += len(frames)
        for address, name in frames:
            rows += struct.pack("<QII", address, len(symbols), len(name.encode()))
            symbols += name.encode()
    table += bytes(-len(table) % 8)
    return struct.pack("<IIII", 1, len(threads), count, len(symbols)) + table + rows + symbols


def test_stacks_that_the_program_wrote_replace_those_that_are_found(engine, library):
    written = [(BASE + PLAIN, "ignored"), (0x10, "jitted code"), (0x20, "")]
    dump = crashed().stream(CLIENT_STACKS, client_stacks({7: written}))
    stack = ask_dump(engine, dump.build(), [library])["stacktraces"][0]
    assert [frame["trust"] for frame in stack["frames"]] == ["prewalked"] * 3
    assert [frame.get("function") for frame in stack["frames"]][1:] == ["jitted code", None]
    assert stack["frames"][0]["function"].startswith("ledger::")
    assert stack["registers"]["rip"] == hex(BASE + PLAIN)


def test_the_thread_that_wrote_the_dump_has_no_frames(engine, library):
    dump = crashed().thread(8, {"rip": BASE + PLAIN, "rsp": STACK}).breakpad_info(8, 7)
    answer = ask_dump(engine, dump.build(), [library])
    found = stacks(answer)
    assert (found[8]["frames"], "registers" in found[8]) == ([], False)
    assert [stack["is_requesting"] for stack in answer["stacktraces"]] == [True, False]
    assert (answer["crashed"], answer["crash_reason"]) == (False, "")


@pytest.mark.parametrize("asking", [None, 99])
def test_without_a_requesting_thread_nobody_is_said_to_be_one(engine, asking):
    dump = crashed() if asking is None else crashed().exception(asking, 11, flags=1, address=0)
    assert [sorted(stack) for stack in ask_dump(engine, dump.build())["stacktraces"]] == [
        ["frames", "registers", "thread_id", "thread_name"]
    ]


def test_the_crash_is_where_the_crashed_threads_stack_begins(engine, library):
    registers = {"rip": BASE + INLINED, "rsp": STACK}
    dump = crashed().exception(7, 11, flags=1, address=0x10, registers=registers)
    stack = ask_dump(engine, dump.build(), [library])["stacktraces"][0]
    assert stack["frames"][0]["instruction_addr"] == stack["registers"]["rip"] == hex(BASE + INLINED)


def test_modules_without_ids_are_left_out_unless_a_stack_touches_them(engine):
    dump = crashed().module(0x1000, 0x1000, "/usr/share/fonts/a.ttf").module(0x4000, 0x1000, "/opt/app/plugin")
    dump.thread(8, {"rip": 0x4010, "rsp": STACK})
    answer = ask_dump(engine, dump.build())
    assert [module["code_file"] for module in answer["modules"]] == ["/opt/app/plugin", "/opt/app/libledger.so"]
    assert [module["unwind_status"] for module in answer["modules"]] == ["missing", "missing"]


def test_a_processor_that_the_dump_does_not_know_is_that_of_a_module(engine, library):
    dump = Writer(cpu=Cpu.UNKNOWN).module(BASE, 0x8000, "/opt/app/libledger.so", build_id=BUILD_ID)
    dump.thread(7, {}, context=b"").stream(CLIENT_STACKS, client_stacks({7: [(BASE + PLAIN, "")]}))
    answer = ask_dump(engine, dump.build(), [library])
    assert answer["system_info"]["cpu_arch"] == "x86_64"


def test_an_unknown_processor_stays_unknown_without_files(engine):
    dump = Writer(cpu=Cpu.UNKNOWN).thread(7, {}, context=b"")
    answer = ask_dump(engine, dump.build())
    assert answer["system_info"]["cpu_arch"] == "unknown"
    assert answer["stacktraces"] == [{"thread_id": 7, "frames": []}]


def test_the_debug_file_of_the_first_module_is_rewritten_for_lookups_alone(engine, server):
    dump = Writer(os=Os.WINDOWS)
    for base, name in ((0x400000, r"C:\build\7\app.pdb"), (0x500000, r"C:\build\7\other.pdb")):
        dump.module(base, 0x1000, r"C:\app.exe", pdb=(name, "3249d99d-0c40-4931-8610-f4e4fb0b6936", 1))
    dump.thread(7, {"rip": 0x500010, "rsp": STACK}).thread(8, {"rip": 0x400010, "rsp": STACK})
    rules = decode_rewrite(
        rb'[{"from": "never", "to": "x"}, {"from": "(?P<name>app)\\.pdb$", "to": "${name}-release.pdb"}]'
    )
    answer = ask_dump(engine, dump.build(), [http_source(server)], options=ReportOptions(rewrite_first_module=rules))
    files = {path.rpartition("/")[2] for path in server.paths if path.endswith(".pdb")}
    assert files == {"app-release.pdb", "other.pdb"}
    assert [module["debug_file"] for module in answer["modules"]] == [r"C:\build\7\app.pdb", r"C:\build\7\other.pdb"]


def test_an_expression_that_would_hang_other_engines_does_not(engine):
    name = "a" * 60_000 + "!"
    dump = Writer(os=Os.WINDOWS).module(0x400000, 0x1000, "app.exe", pdb=(name, str(uuid.uuid4()), 1))
    rules = decode_rewrite(b'[{"from": "^(a+)+$", "to": ""}, {"from": "(a*)*(a*)*b", "to": ""}]')
    answer = ask_dump(engine, dump.build(), options=ReportOptions(rewrite_first_module=rules), seconds=5)
    assert len(answer["modules"]) == 1


def test_a_windows_module_is_told_its_pdb_by_its_own_file(engine, tmp_path):
    program = shared("fixtures/peers/symbolic/windows/CrashWithException.exe").read_bytes()
    object = next(Archive.from_bytes(program).iter_objects())
    stamp, size = int(object.code_id[:8], 16), int(object.code_id[8:], 16)
    put(tmp_path, f"app.exe/{object.code_id[:8].upper()}{object.code_id[8:]}/app.exe", program)
    dump = Writer(os=Os.WINDOWS).module(0x400000, size, r"C:\app.exe", timestamp=stamp)
    dump.thread(7, {"rip": 0x401010, "rsp": STACK}, stack=(STACK, bytes(64)))
    module = ask_dump(engine, dump.build(), [directory_source(tmp_path)])["modules"][0]
    assert (module["unwind_status"], module["features"]["has_unwind_info"]) == ("found", True)
    assert module["debug_file"].endswith(r"\Release\CrashWithException.pdb")
    assert module["debug_id"] == object.debug_id


def test_modules_whose_frames_were_all_dropped_are_unused_again(engine, tmp_path):
    put_breakpad(tmp_path, b"MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 plugin\nFUNC 100 10 0 run\n")
    plugin = bytes.fromhex("03020100050407060809" + "0A0B0C0D0E0F") + bytes(4)
    dump = Writer().module(0x10000, 0x1000, "/opt/app/other", build_id=bytes(range(20, 40)))
    dump.module(0x20000, 0x1000, "/opt/app/plugin", build_id=plugin)
    # A word that may be a return address into the plugin: without rules it is taken for one, but no symbol is there.
    words = dump.words(0x10020, 0x20010, *[0] * 8)
    dump.thread(7, {"rip": 0x10010, "rsp": STACK}, stack=(STACK, words))
    told = {}

    def annotate(key, wanted, names, everything, rules):
        told[wanted.code_file] = (names, rules)
        return ""

    answer = ask_dump(engine, dump.build(), [directory_source(tmp_path)], annotate=annotate)
    modules = {module["code_file"].rpartition("/")[2]: module for module in answer["modules"]}
    names, rules = told["/opt/app/plugin"]
    assert (names, rules.status) == (None, "missing")
    assert [frame["original_index"] for frame in answer["stacktraces"][0]["frames"]] == [0, 1]
    assert (modules["plugin"]["debug_status"], modules["plugin"]["unwind_status"]) == ("unused", "missing")
    assert modules["plugin"]["features"]["has_debug_info"]


def many_threads() -> Writer:
    """Fourteen threads of two frames each; the last but one crashed."""
    dump = crashed()
    stack = struct.pack("<2Q", 0, BASE + PLAIN) + bytes(48)
    for number in range(8, 21):
        start = STACK + 0x1000 * number
        dump.thread(number, {"rip": BASE + PLAIN, "rsp": start}, stack=(start, stack))
    return dump.exception(19, 11, flags=1)


def test_of_stacks_beyond_a_bound_the_first_frame_alone_is_told(engine, monkeypatch):
    monkeypatch.setattr(walks.walk_all, "__defaults__", (5,))
    told = ask_dump(engine, many_threads().build(), [], explain=True)["stacktraces"]
    assert len(told) == 14
    assert all(stack["registers"]["rip"] == hex(BASE + PLAIN) for stack in told)
    assert {stack["frames"][0]["trust"] for stack in told} == {"context"}
    assert sum(len(stack["frames"]) for stack in told) == 5 + 14 - 3
    unwalked = [stack for stack in told if "was not walked" in stack.get("diagnosis", {}).get("text", "")]
    assert len(unwalked) == 14 - 3


def test_the_stack_of_the_crash_is_walked_before_the_others(engine, monkeypatch):
    monkeypatch.setattr(walks.walk_all, "__defaults__", (1,))
    told = ask_dump(engine, many_threads().build(), [])["stacktraces"]
    assert [len(stack["frames"]) for stack in told if stack["is_requesting"]] == [2]
    assert sum(len(stack["frames"]) for stack in told) == 15


def test_what_a_process_had_in_its_environment_is_never_told(engine):
    dump = crashed().stream(0x47670007, b"SECRET_TOKEN=hunter2\0").stream(0x47670006, b"/opt/app\0--password=hunter2\0")
    body = engine.minidump(dump.build(), ANSWER_ALL, [], scope="p1", deadline=Deadline.after(60), explain=True)
    assert b"hunter2" not in body


def test_a_dump_that_cannot_be_read_says_why(engine):
    for data, message in (
        (b"", "Missing minidump header (empty minidump?)"),
        (b"PK\x03\x04" * 20, "Header mismatch"),
        (b"MDMP" + bytes(60), "Minidump version mismatch"),
    ):
        with pytest.raises(BadReport) as told:
            ask_dump(engine, data)
        assert told.value.message == message


def test_a_dump_may_lie_in_a_file(engine, library, tmp_path):
    path = tmp_path / "crash.dmp"
    path.write_bytes(crashed().build())
    assert ask_dump(engine, path, [library]) == ask_dump(engine, crashed().build(), [library])


def test_a_server_that_hangs_costs_the_deadline_and_no_more(engine, server):
    server.default = hang
    with pytest.raises(DeadlineExceeded):
        ask_dump(engine, crashed().build(), [http_source(server)], scope="hanging", seconds=0.5)


def test_unwind_rules_that_are_no_rules_are_told_as_such(engine, server):
    server.routes[f"/{BUILD_ID.hex()[:2]}/{BUILD_ID.hex()[2:]}"] = reply(body=b"\x7fELF" + bytes(200))
    answer = ask_dump(engine, crashed().build(), [http_source(server)], options=ANSWER_ALL, scope="malformed")
    module = answer["modules"][0]
    assert (module["debug_status"], module["unwind_status"]) == ("malformed", "malformed")
    bad = [row for row in module["candidates"] if row["download"]["status"] == "malformed"]
    assert [(row["unwind"]["status"], row["debug"]["status"]) for row in bad] == [("malformed", "malformed")]
    assert answer["stacktraces"][0]["frames"][0]["status"] == "malformed"


def test_rules_that_vanished_from_the_disk_are_made_again(engine, library, store):
    first = ask_dump(engine, crashed().build(), [library], scope="vanishing")
    for entry, _ in engine.unwound._known._young.values():
        if entry.found.answer.path is not None:
            entry.found.answer.path.unlink()
    engine.cfis = OpenCfis()
    assert ask_dump(engine, crashed().build(), [library], scope="vanishing") == first
