"""Unwind rules made by the converter: every format, what the library gives up on, and what was damaged."""

from __future__ import annotations

import lzma
import os
import random
from pathlib import Path

import pytest

from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex
from engine.outgoing import Deadline
from tests.engine.formats.elf_builder import ARM, TEXT, X86_64, Frames
from tests.engine.shared_fixtures import shared

PEERS = "fixtures/peers/symbolic"
LEDGER = Path(__file__).parents[2] / "fixtures" / "ledger" / "libledger.so"
ARMHF = LEDGER.parents[1] / "arm" / "armhf-thumb-nofp"
LIBGCRYPT = Path("/usr/lib/x86_64-linux-gnu/libgcrypt.so.20")
SAMPLES = int(os.environ.get("SYMBOLSVC_FUZZ_EXAMPLES", "60"))


@pytest.fixture
def make(converter, tmp_path):
    """Gives the index of the rules of an object of a file, or of a content."""

    def made(source, index=0):
        path = source if isinstance(source, Path) else tmp_path / "source"
        if path is not source:
            path.write_bytes(source)
        out = tmp_path / "out"
        out.write_bytes(b"")
        converter.make_cfi(path, index, out, Deadline.after(30))
        return CfiIndex.open(out)

    return made


@pytest.mark.parametrize(
    ("path", "address", "start", "rules"),
    [
        ("linux/crash", 0x1EC4, 0x1EC0, ".cfa: $rsp 8 + .ra: .cfa -8 + ^ .cfa: $rsp 16 + $rbx: .cfa -16 + ^"),
        ("linux/crash.sym", 0x1EC4, 0x1EC0, ".cfa: $rsp 8 + .ra: .cfa -8 + ^ $rbx: .cfa -16 + ^ .cfa: $rsp 16 +"),
        (
            "linux/arm64/cfi_test",
            0x5E8,
            0x5E0,
            ".cfa: sp 0 + .ra: x30 .cfa: sp 32 + x29: .cfa -32 + ^ .ra: .cfa -24 + ^",
        ),
        ("macos/crash", 0xD60, 0xD60, ".cfa: $rsp 16 + .ra: .cfa -8 + ^ $rbx: .cfa -16 + ^"),
        ("minidump/crash_macos", 0x1170, 0x1170, ".cfa: $rsp 432 + .ra: .cfa -8 + ^"),
        ("windows/CrashWithException.exe", 0x1150, 0x1150, ".cfa: $rsp 64 + .ra: .cfa 8 - ^"),
        ("windows/hello-dwarf.exe", 0x1010, 0x1010, ".cfa: $rsp 48 + .ra: .cfa 8 - ^"),
    ],
)
def test_every_format_gives_its_rules(make, path, address, start, rules):
    assert make(shared(f"{PEERS}/{path}")).cfi(address) == (start, rules)


def test_records_that_the_library_gets_wrong_are_not_used(make):
    """In this file no record of the library has the size of its function, and most functions have none."""
    assert not make(shared(f"{PEERS}/windows/arm64/test.exe")).has_rules


def test_arms_own_tables_complete_what_dwarf_has(make):
    """DWARF's tables have what was compiled, and know prologues; ARM's have the start of the program as well."""
    own, both = (
        {start: index.cfi(start)[1] for start in index._cfi._starts}
        for name in ("stripped", "program")
        for index in (make(lzma.decompress((ARMHF / f"{name}.xz").read_bytes())),)
    )
    bottom = [start for start, rules in own.items() if ".undef" in rules]

    assert len(bottom) == 1
    assert both[bottom[0]] == own[bottom[0]] == ".cfa: sp 0 + .ra: .undef"
    assert len([start for start in own if both.get(start) == ".cfa: sp 0 + .ra: lr" != own[start]]) > 5


def test_code_behind_signal_handlers_has_its_rule_from_the_tables(make):
    frames = Frames(X86_64)
    cie = frames.cie(b"\x0c\x07\x08", augmentation=b"zRS")
    frames.fde(cie, TEXT, 16, b"\x0f\x04\x77\xa0\x01\x06\x10\x10\x03\x77\xa8\x01")
    other = frames.cie(b"\x0c\x07\x08\x90\x01")
    frames.fde(other, TEXT + 16, 16)

    index = make(frames.file())

    assert index.cfi(TEXT) == (TEXT, ".cfa: $rsp 160 + ^ .ra: $rsp 168 + ^ .signal: 1")
    assert index.cfi(TEXT + 16) == (TEXT + 16, ".cfa: $rsp 8 + .ra: .cfa -8 + ^")


@pytest.mark.parametrize("path", ["windows/crash.pdb", "windows/crash.sym"])
def test_frame_data_of_32_bit_windows_is_nested(make, path):
    index = make(shared(f"{PEERS}/{path}"))

    assert index.is_empty
    assert [index.win(address).size for address in (0x1000, 0x100F, 0x1030, 0x1048)] == [0x114, 0xF5, 0x92, 0xA]


def test_the_text_is_that_of_the_whole_file(make):
    index = make(shared(f"{PEERS}/minidump/crash_linux"))
    expected = shared(f"{PEERS}/minidump/crash_linux.sym").read_bytes()

    assert bytes(index._text).split() == expected.split()
    assert index.skipped == 0


@pytest.mark.parametrize(
    "path",
    [
        "macos/crash.dSYM/Contents/Resources/DWARF/crash",
        "macos/Example.framework.dSYM/Contents/Resources/DWARF/Example",
        "linux/crash.debug",
        "windows/crash.exe",
        "windows/portable.pdb",
    ],
)
def test_files_without_rules_give_an_index_without_rules(make, path):
    assert not make(shared(f"{PEERS}/{path}")).has_rules


def test_what_the_library_gives_up_on_is_read_entry_by_entry(make):
    frames = Frames(X86_64)
    cie = frames.cie(b"\x0c\x07\x08")
    frames.fde(cie, TEXT, 16, b"\x41\x0f\x02\x77\x10\x41\x0e\x08")
    frames.fde(cie, TEXT + 16, 16, b"\x41\x0e\x10")

    index = make(frames.file())

    assert index.cfi(TEXT + 16) == (TEXT + 16, ".cfa: $rsp 8 +")
    assert index.cfi(TEXT + 1) == (TEXT, ".cfa: $rsp 8 + .cfa: $rsp 16 +")


def test_libgcrypt_has_rules_for_all_of_its_functions(make):
    if not LIBGCRYPT.exists():
        pytest.skip(f"this machine has no {LIBGCRYPT}")

    index = make(LIBGCRYPT)

    assert len(index._cfi) > 1500
    assert all(".cfa: " in index.cfi(start)[1] for start in index._cfi._starts)


def test_tables_without_an_entry_are_no_unwind_information(converter, tmp_path):
    (tmp_path / "empty").write_bytes(Frames(ARM).file())
    full = Frames(ARM)
    full.fde(full.cie(b"\x0c\x0d\x00", ra=14), TEXT, 16)
    (tmp_path / "full").write_bytes(full.file())

    features = [
        converter.inspect(tmp_path / name, Deadline.after(30)).objects[0].features for name in ("empty", "full")
    ]

    assert features == [(), ("unwind",)]


def flipped(content, seed, start, size):
    damaged, chosen = bytearray(content), random.Random(seed)
    for _ in range(chosen.randrange(1, 6)):
        damaged[start + chosen.randrange(size)] ^= 1 << chosen.randrange(8)
    return bytes(damaged)


def test_damaged_tables_give_an_index_or_a_clean_failure(make):
    content = LEDGER.read_bytes()
    tables = content.find(b"zR\0") - 9
    outcomes = set()
    for seed in range(SAMPLES):
        whole = seed % 3 == 0
        damaged = flipped(content, seed, 0 if whole else tables, 512 if whole else 2000)
        try:
            index = make(damaged)
        except LookupFailure as failure:
            outcomes.add(failure.kind)
            continue
        outcomes.add("made")
        for start in index._cfi._starts:
            assert index.cfi(start) is not None
    assert "made" in outcomes


def test_a_damaged_index_is_refused_or_gives_no_more_than_wrong_rules(make):
    index = make(LEDGER)
    content = bytes(index._text.obj)
    for seed in range(SAMPLES):
        try:
            damaged = CfiIndex(flipped(content, seed, 0, len(content)))
        except FormatError:
            continue
        for address in range(0x1000, 0x2000, 64):
            damaged.cfi(address)
            damaged.win(address)
