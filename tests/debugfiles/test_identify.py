"""What an uploaded file is: every kind with its ids, and why others are refused."""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import ApiError
from debugfiles.identify import identify, is_proguard, proguard_uuid
from debugfiles.kinds import MIME_TYPES, SymbolType, file_types_of
from engine.sourcetypes.base import FileType
from engine.sourcetypes.sentry.listing import FILE_TYPES
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID, PROGUARD, incoming
from tests.engine.shared_fixtures import shared

UUID = "12345678-1234-4234-8234-123456789abc"
BREAKPAD = b"MODULE Linux x86_64 C22813AC7D101E2FF2019697023E1F280 crash\nPUBLIC 1000 0 main\n"
BCSYMBOLMAP = b"BCSymbolMap Version: 2.0\n-[A b]\n"
PLIST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>DBGOriginalUUID</key>'
    b"<string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string></dict></plist>"
)
IL2CPP = json.dumps({"__debug-id__": UUID, "a.cpp": {"A.cs": {"1": 2}}}).encode()


def identified(content, name="file", debug_id=""):
    with incoming(content, name, debug_id) as upload:
        return identify(upload)


def refused(content, name="file", debug_id=""):
    with pytest.raises(ApiError) as refusal:
        identified(content, name, debug_id)
    return refusal.value.message


def test_an_elf_file_has_its_ids_and_can_be_asked_for_as_code_and_debug_information():
    (found,) = identified(LEDGER.read_bytes())

    assert str(found.debug_id) == LEDGER_DEBUG_ID
    assert found.code_id == LEDGER_CODE_ID
    assert (found.symbol_type, found.cpu) == (SymbolType.ELF, "x86_64")
    assert found.file_types == (FileType.ELF_CODE, FileType.ELF_DEBUG)
    assert (found.offset, found.size) == (0, LEDGER.stat().st_size)


@pytest.mark.parametrize(
    ("path", "symbol_type", "debug_id"),
    [
        ("windows/crash.pdb", "pdb", "3249d99d-0c40-4931-8610-f4e4fb0b6936-1"),
        ("windows/crash.exe", "pe", "3249d99d-0c40-4931-8610-f4e4fb0b6936-1"),
        ("windows/portable.pdb", "portablepdb", "1d6929b4-468b-4db8-9389-9a12bd257e1b-ab8cf31e"),
        ("macos/crash", "macho", "67e9247c-814e-392b-a027-dbde6748fcbf"),
        ("macos/crash.dSYM/Contents/Resources/DWARF/crash", "macho", "67e9247c-814e-392b-a027-dbde6748fcbf"),
        ("linux/crash.sym", "breakpad", "c0bcc3f1-9827-fe65-3058-404b2831d9e6"),
        ("wasm/simple.wasm", "wasm", "bda18fd8-5d4a-4eb8-9302-2d6bfad846b1"),
    ],
)
def test_each_native_format_is_known_by_its_content(path, symbol_type, debug_id):
    file = shared(f"fixtures/peers/symbolic/{path}")
    (found,) = identified(file.read_bytes(), "no-extension")

    assert found.symbol_type == symbol_type
    assert str(found.debug_id) == debug_id


def test_a_fat_file_is_several_objects_each_with_its_place():
    # Two copies under another architecture each, as the header of a fat file lists them.
    thin = shared("fixtures/peers/symbolic/macos/crash").read_bytes()
    header = bytes.fromhex("cafebabe 00000002".replace(" ", ""))
    entries = [(0x01000007, 3, 4096, len(thin)), (0x01000007, 8, 4096 + (len(thin) + 4095) // 4096 * 4096, len(thin))]
    table = b"".join(b"".join(n.to_bytes(4, "big") for n in (*entry, 12)) for entry in entries)
    content = (header + table).ljust(4096, b"\0") + thin
    content = content.ljust(entries[1][2], b"\0") + thin

    found = identified(content)

    assert [(item.index, item.offset, item.size) for item in found] == [
        (0, 4096, len(thin)),
        (1, entries[1][2], len(thin)),
    ]


@pytest.mark.parametrize(
    ("content", "name", "symbol_type", "debug_id"),
    [
        (BREAKPAD, "crash.sym", "breakpad", "c22813ac-7d10-1e2f-f201-9697023e1f28"),
        (BCSYMBOLMAP, f"{UUID.upper()}.bcsymbolmap", "bcsymbolmap", UUID),
        (PLIST, f"dir/{UUID}.plist", "uuidmap", UUID),
        (IL2CPP, "il2cpp.json", "il2cpp", UUID),
    ],
)
def test_maps_have_the_id_of_their_content_or_their_name(content, name, symbol_type, debug_id):
    (found,) = identified(content, name)
    assert (found.symbol_type, str(found.debug_id)) == (symbol_type, debug_id)
    assert [one.value for one in found.file_types] == [symbol_type]


def test_a_proguard_mapping_has_the_uuid_that_sentrys_tools_give_it():
    (found,) = identified(PROGUARD, "mapping.txt")

    namespace = uuid.uuid5(uuid.NAMESPACE_DNS, "guardsquare.com")
    assert found.debug_id.uuid == uuid.UUID(bytes=hashlib.sha1(namespace.bytes + PROGUARD).digest()[:16], version=5)
    assert found.symbol_type == "proguard"


def test_the_uuid_of_a_real_mapping_is_that_of_the_standard_librarys_version_5():
    content = shared("fixtures/peers/symbolic/proguard.txt").read_bytes()
    with incoming(content, "proguard.txt") as upload:
        expected = uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_DNS, "guardsquare.com"), content.decode())
        assert proguard_uuid(upload.incoming) == expected
    assert is_proguard(content[: 256 << 10])


def test_a_given_id_decides_where_the_content_names_none():
    for content in (PROGUARD, BCSYMBOLMAP, PLIST, IL2CPP):
        assert str(identified(content, "any", LEDGER_DEBUG_ID)[0].debug_id) == LEDGER_DEBUG_ID


def test_a_given_id_never_replaces_the_one_in_a_native_file():
    (found,) = identified(LEDGER.read_bytes(), "any", UUID)
    assert str(found.debug_id) == LEDGER_DEBUG_ID


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "empty.so", "empty.so: not a debug file that can be read: it is empty"),
        (b"hello", "notes.txt", "notes.txt: not a debug file that can be read"),
        (b"\x7fELF" + b"\0" * 60, "libx.so", "libx.so: not a debug file"),
        (b"\x1f\x8b\x08\0" + b"\0" * 30, "x.so.gz", "it is packed"),
        (BCSYMBOLMAP, "names.bcsymbolmap", "its name must be the UUID"),
        (b"BCSymbolMap Version: 1.0\n", f"{UUID}.bcsymbolmap", "version 2.0"),
        (b"<?xml version='1.0'?><plist><dict/></plist>", f"{UUID}.plist", "DBGOriginalUUID"),
        (b'{"a.cpp": {}}', "x.json", "__debug-id__"),
        (b'{"a.cpp": ', "x.json", "not an IL2CPP"),
        (b"[" * 100_000, "x.json", "x.json"),
        (b"{" + b'"a":{' * 100_000, "x.json", "x.json"),
        (b"SYSB\2\0\0\0PK", "x.zip", "x.zip"),
    ],
)
def test_what_is_of_no_use_is_refused_by_name_and_with_the_reason(content, name, reason):
    assert reason in refused(content, name)


def test_the_name_in_a_refusal_is_no_path_and_can_be_stored():
    text = refused(b"hello", "../../etc/\x00\ud800pass\nwd")
    assert text.startswith("\ufffd\ufffdpass")
    assert refused(b"hello", "").startswith("the file: ")


def test_every_type_is_one_that_decoders_of_the_listing_know():
    assert {one.value for one in SymbolType} == set(FILE_TYPES) == {one.value for one in MIME_TYPES}
    for symbol_type in SymbolType:
        for kind in ("dbg", "lib", ""):
            assert set(file_types_of(symbol_type, kind, ("debug",))) <= FILE_TYPES[symbol_type.value]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"{", b"BCSymbolMap Version: 2.0\n", b"<?xml", b"SYSB", b"MODULE "])
)
def test_no_content_gives_anything_but_objects_or_a_refusal(content, head):
    with suppress(ApiError):
        assert identified(head + content, f"{UUID}.x")
