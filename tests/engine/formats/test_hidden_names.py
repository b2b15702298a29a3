"""BCSymbolMaps and UUID maps: what stands behind the names that bitcode compilation hid."""

from __future__ import annotations

import plistlib
from uuid import UUID

import pytest

from engine.formats.bcsymbolmap import BcSymbolMap
from engine.formats.bytewise import FormatError
from engine.formats.uuid_map import KEY, original_uuid

NAMES = ["-[Message init:]", "_$s3App4mainyyF", "", "Sources/App/Message.m", "/Users/dev/App", "..", "Größe"]
TEXT = "BCSymbolMap Version: 2.0\n" + "".join(f"{name}\n" for name in NAMES)
MAP = BcSymbolMap(TEXT.encode())
ORIGINAL = UUID("c8374b6d-6e96-34d8-ae38-efaa5fec424f")


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("__hidden#0_", "-[Message init:]"),
        ("__hidden#1_", "_$s3App4mainyyF"),
        ("_hidden#1_", "$s3App4mainyyF"),
        ("__hidden#2_", ""),
        ("__hidden#6_", "Größe"),
        ("__hidden#7_", "__hidden#7_"),
        ("__hidden#99999999999999999999_", "__hidden#99999999999999999999_"),
        ("__hidden#-1_", "__hidden#-1_"),
        ("__hidden#_", "__hidden#_"),
        ("__hidden#0_x", "__hidden#0_x"),
        ("main", "main"),
        ("", ""),
    ],
)
def test_hidden_names_are_resolved_and_others_kept(name: str, resolved: str):
    assert MAP.resolve(name) == resolved


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("__hidden#4_/__hidden#3_", "/Users/dev/App/Sources/App/Message.m"),
        ("/build/__hidden#3_", "/build/Sources/App/Message.m"),
        ("/build/__hidden#4_/a.m", "/Users/dev/App/a.m"),
        ("/build/x/__hidden#5_/a.m", "/build/a.m"),
        ("/build/./x/../a.m", "/build/./x/../a.m"),
        ("__hidden#77_/a.m", "__hidden#77_/a.m"),
    ],
)
def test_each_part_of_a_path_is_resolved(path: str, resolved: str):
    assert MAP.resolve_path(path) == resolved


def test_every_line_of_a_large_map_is_found():
    names = [f"_name{number}" * (number % 3 + 1) for number in range(20_000)]
    large = BcSymbolMap(("BCSymbolMap Version: 2.0\r\n" + "\r\n".join(names)).encode())
    for number in [*range(0, 20_000, 37), 4095, 4096, 4097, 8191, 8192, 19_999]:
        assert large.resolve(f"__hidden#{number}_") == names[number]
    assert large.resolve("__hidden#20000_") == "__hidden#20000_"


@pytest.mark.parametrize("data", [b"", b"BCSymbolMap Version: 1.0\na\n", b"\xff\xfe", b"{}"])
def test_other_versions_and_files_are_malformed_as_for_symbolic(data: bytes):
    with pytest.raises(FormatError):
        BcSymbolMap(data)


@pytest.mark.parametrize("format", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_uuid_map_names_the_original(format: plistlib.PlistFormat):
    content = {KEY: str(ORIGINAL).upper(), "DBGArchitecture": "arm64"}
    assert original_uuid(plistlib.dumps(content, fmt=format)) == ORIGINAL


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<plist>",
        b"bplist00",
        plistlib.dumps([]),
        plistlib.dumps({}),
        plistlib.dumps({KEY: 5}),
        plistlib.dumps({KEY: "no uuid"}),
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><plist><dict><key>&a;</key></dict></plist>',
        plistlib.dumps({KEY: str(ORIGINAL)}) + b" " * (1 << 20),
    ],
)
def test_other_lists_are_malformed(data: bytes):
    with pytest.raises(FormatError):
        original_uuid(data)
