"""Files that somebody cut, bent or made up: each reader raises its one error and is done soon."""

from __future__ import annotations

import gzip
import io
import json
import plistlib
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.formats import fat
from engine.formats.bcsymbolmap import BcSymbolMap
from engine.formats.bytewise import FormatError
from engine.formats.decompress import decompress
from engine.formats.il2cpp import LineMapping
from engine.formats.packed.zip import ZipArchive
from engine.formats.portable_pdb import PortablePdb
from engine.formats.source_bundle import SourceBundle
from engine.formats.source_links import SourceLinks
from engine.formats.srcsrv import version_control
from engine.formats.symstore_index import parse_last_id, parse_transaction
from engine.formats.uuid_map import original_uuid
from tests.engine.formats import builders
from tests.engine.formats.test_decompress import zstd
from tests.engine.formats.test_portable_pdb import two_point_method

SHORT = b"text that repeats, " * 30


def portable_pdb() -> bytes:
    builder = builders.PortablePdbBuilder(referenced={0x06: 3})
    row = builder.document("/src/app/Program.cs")
    builder.method(row, two_point_method())
    builder.method(0, builders.compressed(row) + two_point_method())
    builder.information(builders.DOCUMENT_TAG, row, builders.EMBEDDED_SOURCE, builders.embedded(SHORT))
    builder.information(builders.MODULE_TAG, 1, builders.SOURCE_LINK, b'{"documents":{"/src/*":"https://h/*"}}')
    return builder.build()


def read_portable_pdb(data: bytes) -> None:
    pdb = PortablePdb(data)
    for use in (
        lambda: [pdb.lookup(method, offset) for method in range(4) for offset in (0, 5, 99)],
        lambda: pdb.embedded_source("/src/app/Program.cs"),
        lambda: pdb.source_links,
        lambda: pdb.has_sources,
    ):
        tolerate(use)


def read_bundle(data: bytes) -> None:
    bundle = SourceBundle(data)
    for path in ("/src/a.c", "/src/b.c", "/remote/a.c"):
        tolerate(lambda path=path: bundle.find(path))


def read_zip(data: bytes) -> None:
    archive = ZipArchive(data)
    for member in archive.members.values():
        tolerate(lambda member=member: archive.read(member, max_bytes=1 << 20))


def read_fat(data: bytes) -> None:
    for index in range(len(fat.entries(data))):
        fat.cut(data, index)


def read_packed(data: bytes) -> None:
    decompress(io.BytesIO(data), io.BytesIO(), max_bytes=1 << 20)


def read_symbol_map(data: bytes) -> None:
    names = BcSymbolMap(data)
    names.resolve_path("/a/__hidden#0_/__hidden#1_/__hidden#9999999_")


def tolerate(use: Callable[[], object]) -> None:
    """Anything but FormatError fails the test."""
    try:
        use()
    except FormatError:
        return


BUNDLE = {"files": {"a": {"path": "/src/a.c"}, "b": {"path": "/src/b.c"}}, "source_links": {"/remote/*": "http://h/*"}}
PDB_NAMES = builders.pdb_info({b"srcsrv": 2})
SAMPLES: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "portable pdb": (portable_pdb(), read_portable_pdb),
    "source bundle": (builders.source_bundle(BUNDLE, {"a": SHORT, "b": SHORT}), read_bundle),
    "zip": (builders.zipped({"a": SHORT, "b": SHORT}), read_zip),
    "fat": (builders.fat([(7, 3, b"one"), (12, 9, b"two")])[:4200], read_fat),
    "wide fat": (builders.fat([(7, 3, b"one")], wide=True)[:4200], read_fat),
    "pdb": (builders.msf([b"", PDB_NAMES, b"VERCTRL=git\r\n"]), version_control),
    "packed: zstd": (zstd.compress(SHORT), read_packed),
    "packed: gzip": (gzip.compress(SHORT) * 2, read_packed),
    "packed: zlib": (zlib.compress(SHORT), read_packed),
    "packed: zip": (builders.zipped({"a": SHORT}), read_packed),
    "packed: cabinet": (builders.cabinet([SHORT, SHORT], reserve=2), read_packed),
    "packed: stored cabinet": (builders.cabinet([SHORT, SHORT], method=0), read_packed),
    "source links": (json.dumps({"documents": {"/a/*": "https://h/*"}}).encode(), SourceLinks.parse),
    "symbol map": (b"BCSymbolMap Version: 2.0\na\n/b/../c\n", read_symbol_map),
    "uuid map": (plistlib.dumps({"DBGOriginalUUID": str(builders.PDB_UUID)}), original_uuid),
    "binary uuid map": (
        plistlib.dumps({"DBGOriginalUUID": "x", "a": [1, 2.5]}, fmt=plistlib.FMT_BINARY),
        original_uuid,
    ),
    "il2cpp": (b'{"a":{"b":{"10":5}}}', lambda data: LineMapping(data).find("a", 12)),
    "last id": (b"0000000012\r\n", parse_last_id),
    "transaction": (b'"a.pdb\\1","C:\\a.pdb"\n', parse_transaction),
}
every_sample = pytest.mark.parametrize(("sample", "read"), SAMPLES.values(), ids=SAMPLES)
hostile = settings(
    max_examples=150, deadline=timedelta(seconds=1), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@every_sample
def test_every_truncation(sample: bytes, read: Callable[[bytes], object]):
    step = max(len(sample) // 800, 1)
    for end in range(0, len(sample), step):
        tolerate(lambda end=end: read(sample[:end]))


@every_sample
def test_every_byte_set_to_its_extremes(sample: bytes, read: Callable[[bytes], object]):
    places = [*range(min(len(sample), 700)), *range(700, len(sample), max(len(sample) // 500, 1))]
    for at in places:
        for value in (0, 0xFF, sample[at] ^ 0x80, sample[at] ^ 1):
            tolerate(lambda at=at, value=value: read(sample[:at] + bytes([value]) + sample[at + 1 :]))


# Numbers of one to eight bytes, each with where it goes: any place up to 64 KiB, modulo the length.
BENDS = st.lists(
    st.tuples(
        st.integers(0, (1 << 16) - 1),
        st.one_of(*(st.binary(min_size=width, max_size=width) for width in (1, 2, 4, 8))),
    ),
    min_size=1,
    max_size=8,
)


@every_sample
@hostile
@given(bends=BENDS)
def test_bent_bytes(sample: bytes, read: Callable[[bytes], object], bends: list[tuple[int, bytes]]):
    bent = bytearray(sample)
    for place, number in bends:
        at = place % len(bent)
        bent[at : at + len(number)] = number
    tolerate(lambda: read(bytes(bent)))


@every_sample
@hostile
@given(junk=st.binary(max_size=300), kept=st.integers(0, 64))
def test_junk_behind_a_good_start(sample: bytes, read: Callable[[bytes], object], junk: bytes, kept: int):
    tolerate(lambda: read(sample[:kept] + junk))


@hostile
@given(data=st.data())
def test_bent_files_of_compilers(symbolic_files: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(["portable.pdb", "source-links-only.pdb", "Sentry.Samples.Console.Basic.pdb"]))
    bent = bytearray((symbolic_files / "windows" / name).read_bytes())
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(bent) - 1), st.integers(0, 255)), max_size=10)):
        bent[at] = value
    tolerate(lambda: read_portable_pdb(bytes(bent)))
