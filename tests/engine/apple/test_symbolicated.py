"""Crash reports written for real Mach-O files, through the engine: frames are what the debug file says.

The judge is symbolic's own lookup in the same dSYM. Files are served in the native layout, plain and as zipped bundles.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from symbolic import Archive

from engine.outgoing import Deadline
from engine.run.report_wire import ReportOptions
from tests.engine.apple import reports
from tests.engine.formats import builders
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import reply

BASE = 0x10A3C0000
X86_64 = (0x01000007, 3)
MACOS = "fixtures/peers/symbolic/macos"
_FUNCTION = re.compile(r"^FUNC (?:m )?([0-9a-f]+) ([0-9a-f]+) ", re.MULTILINE)


@dataclass(frozen=True)
class Binary:
    """A binary with its dSYM, and what its symcache says."""

    root: Path
    name: str

    @property
    def dwarf(self):
        return self.root / f"{self.name}.dSYM/Contents/Resources/DWARF" / self.name.partition(".")[0]

    def judge(self, arch):
        return Archive.open(str(self.dwarf)).get_object(arch=arch)

    def zipped(self):
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted((self.root / f"{self.name}.dSYM").rglob("*")):
                if file.name != "invalid":
                    archive.write(file, str(file.relative_to(self.root)))
        return packed.getvalue()


def place(uuid):
    """Where the native layout has the dSYM."""
    digits = uuid.replace("-", "").upper()
    parts = [digits[at : at + 4] for at in range(0, 20, 4)]
    return f"/{'/'.join(parts)}/{digits[20:]}"


def text_of(addresses, uuid, path, arch):
    thread = "".join(f"{at:<3} {'Crash Me':<30} 0x{address:016x} x + 1\n" for at, address in enumerate(addresses))
    image = f"{BASE:#x} - {BASE + 0xFFFFF:#x} +Crash Me {arch} (1.0) <{uuid}> {path}\n"
    head = f"Code Type: {arch}\nOS Version: Mac OS X 10.14.0 (18A391)\nException Type: EXC_BAD_ACCESS (SIGSEGV)\n"
    return f"{head}\nThread 0 Crashed:\n{thread}\nBinary Images:\n{image}".encode()


def ips_of(addresses, uuid, path, arch):
    frames = [{"imageOffset": address - BASE, "imageIndex": 0} for address in addresses]
    image = {"base": BASE, "size": 0x100000, "uuid": uuid, "path": path, "name": "Crash Me", "arch": arch}
    body = {
        "cpuType": "X86-64" if arch == "x86_64" else "ARM-64",
        "osVersion": {"train": "macOS 14.4", "build": "23E214"},
        "exception": {"type": "EXC_BAD_ACCESS", "signal": "SIGSEGV"},
        "threads": [{"triggered": True, "frames": frames}],
        "usedImages": [image],
    }
    return json.dumps(reports.IPS_HEADER).encode() + b"\n" + json.dumps(body).encode()


def answer_to(engine, report, source):
    answer = engine.apple(report, ReportOptions(), [source], scope="p1", deadline=Deadline.after(60))
    return json.loads(answer)


def shown(frame):
    return frame["original_index"], frame["symbol"], frame["lineno"], frame.get("abs_path"), frame.get("sym_addr")


def expected(symcache, addresses):
    """What symbolic says about each address, the callers' one byte before; sym_addr on the function itself alone."""
    rows = []
    for index, address in enumerate(addresses):
        found = symcache.lookup(address - BASE - (1 if index else 0))
        for depth, location in enumerate(found):
            start = hex(BASE + location.sym_addr) if depth == len(found) - 1 else None
            rows.append((index, location.symbol, location.line, location.full_path or None, start))
    return rows


@pytest.fixture
def crash():
    return Binary(shared(MACOS), "crash")


@pytest.fixture
def spots(crash):
    """Addresses inside functions: the middle of every seventh, and places where functions are inlined."""
    listed = (crash.root / "crash.inlines.sym").read_text()
    functions = [(int(start, 16), int(size, 16)) for start, size in _FUNCTION.findall(listed)]
    middles = [BASE + start + size // 2 for start, size in functions if size > 4][::7]
    symcache = crash.judge("x86_64").make_symcache()
    inlined = [at for start, size in functions for at in range(start, start + size, 5) if len(symcache.lookup(at)) > 1]
    return [BASE + 1 + at for at in inlined[::40]] + middles


@pytest.mark.parametrize("written", [text_of, ips_of], ids=["crash", "ips"])
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "bundle"])
def test_frames_are_what_the_dsym_says(engine, server, source, crash, spots, written, zipped):
    judge = crash.judge("x86_64")
    server.routes[place(judge.debug_id)] = reply(body=crash.zipped() if zipped else crash.dwarf.read_bytes())
    answer = answer_to(engine, written(spots, judge.debug_id, "/Apps/Crash Me.app/Crash Me", "x86_64"), source)
    frames = answer["stacktraces"][0]["frames"]
    rows = expected(judge.make_symcache(), spots)
    assert len(rows) > len(spots) > 50
    assert [shown(frame) for frame in frames] == rows
    assert answer["modules"][0]["debug_status"] == "found"
    assert answer["crash_reason"] == "EXC_BAD_ACCESS (SIGSEGV)"
    assert answer["stacktraces"][0]["is_requesting"] is True


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "bundle"])
def test_the_object_of_a_fat_file_is_the_one_with_the_id_of_the_report(engine, server, source, arch, zipped):
    binary = Binary(shared(MACOS), "Example.framework")
    judge = binary.judge(arch)
    server.routes[place(judge.debug_id)] = reply(body=binary.zipped() if zipped else binary.dwarf.read_bytes())
    answer = answer_to(engine, ips_of([BASE + 0x10], judge.debug_id, "/Example", arch), source)
    module = answer["modules"][0]
    assert (module["debug_status"], module["arch"], module["debug_id"]) == ("found", arch, judge.debug_id)


def test_names_come_out_of_a_fat_file(engine, server, source, crash, spots):
    judge = crash.judge("x86_64")
    other = (crash.root / "overlapping_funcs.dSYM/Contents/Resources/DWARF/overlapping_funcs").read_bytes()
    server.routes[place(judge.debug_id)] = reply(
        body=builders.fat([(*X86_64, other), (*X86_64, crash.dwarf.read_bytes())])
    )
    answer = answer_to(engine, text_of(spots, judge.debug_id, "/crash", "x86_64"), source)
    assert [shown(frame) for frame in answer["stacktraces"][0]["frames"]] == expected(judge.make_symcache(), spots)


def test_the_stack_of_an_exception_is_symbolicated_too(engine, server, source, crash, spots):
    judge = crash.judge("x86_64")
    server.routes[place(judge.debug_id)] = reply(body=crash.dwarf.read_bytes())
    report = text_of(spots[:2], judge.debug_id, "/crash", "x86_64")
    thrown = f"Last Exception Backtrace:\n({' '.join(hex(spot) for spot in spots[:3])})\n\n".encode()
    answer = answer_to(engine, report.replace(b"Thread 0", thrown + b"Thread 0"), source)
    first, last = answer["stacktraces"]
    assert (first["thread_id"], last["thread_name"]) == (0, "Last Exception Backtrace")
    assert "thread_id" not in last
    assert {frame["status"] for frame in last["frames"]} == {"symbolicated"}
    assert {frame["original_index"] for frame in last["frames"]} == {0, 1, 2}


def test_the_innermost_frame_of_an_exception_is_a_return_address_too(engine, server, source, crash):
    judge = crash.judge("x86_64")
    server.routes[place(judge.debug_id)] = reply(body=crash.dwarf.read_bytes())
    functions = [
        (int(start, 16), int(size, 16))
        for start, size in _FUNCTION.findall((crash.root / "crash.inlines.sym").read_text())
    ]
    # A call of a function that never comes back may be the last of its caller.
    behind = [BASE + start + size for start, size in functions if size > 4][:3]
    report = text_of(behind[:1], judge.debug_id, "/crash", "x86_64")
    thrown = f"Last Exception Backtrace:\n({' '.join(hex(spot) for spot in behind)})\n\n".encode()
    frames = answer_to(engine, report.replace(b"Thread 0", thrown + b"Thread 0"), source)["stacktraces"][-1]["frames"]
    symcache = judge.make_symcache()
    names = [location.symbol for address in behind for location in symcache.lookup(address - BASE - 1)]
    assert [frame["symbol"] for frame in frames] == names
    assert [int(frame["instruction_addr"], 16) for frame in frames if frame.get("sym_addr")] == [
        at - 1 for at in behind
    ]


def test_a_plcrash_report_goes_the_same_way(engine, source):
    answer = answer_to(engine, reports.plcrash_report(), source)
    assert answer["crash_reason"] == "EXC_CRASH (SIGABRT)"
    assert answer["system_info"]["device_model"] == "iPhone15,2"
    assert [module["debug_status"] for module in answer["modules"]] == ["missing", "missing"]
    assert answer["stacktraces"][0]["registers"]["pc"] == "0x100a40f10"
