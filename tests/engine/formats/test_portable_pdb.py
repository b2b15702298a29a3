from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from symbolic import Archive

from engine.formats.bytewise import Cursor, FormatError
from engine.formats.portable_pdb import PortablePdb, SourcePoint
from engine.formats.portable_pdb import reader as reader_module
from engine.formats.portable_pdb.metadata import compressed, compressed_signed
from engine.formats.source_context import source_context
from tests.engine.formats import builders
from tests.engine.formats.builders import DOCUMENT_TAG, MODULE_TAG, PortablePdbBuilder

PORTABLE = [
    "windows/portable.pdb",
    "windows/source-links-only.pdb",
    "windows/Sentry.Samples.Console.Basic.pdb",
    "ppdb-sourcelink-sample/ppdb-sourcelink-sample.pdb",
]
PROGRAM = r"C:\dev\sentry-dotnet\samples\Sentry.Samples.Console.Basic\Program.cs"
HIDDEN = b"\0\0"


def visible(step: int, line: bytes, column: bytes) -> bytes:
    """One sequence point of one line and 8 columns."""
    return builders.compressed(step) + b"\0\x08" + line + column


def two_point_method() -> bytes:
    """IL 0 is line 10, IL 4 is hidden, IL 6 is line 7."""
    first = visible(0, builders.compressed(10), builders.compressed(5))
    return first + b"\x04" + HIDDEN + visible(2, builders.compressed_signed(-3), builders.compressed_signed(-1))


@pytest.fixture
def builder() -> PortablePdbBuilder:
    made = PortablePdbBuilder()
    made.document("/src/app/Program.cs")
    return made


@pytest.mark.parametrize("name", PORTABLE)
def test_debug_id_and_source_flag_are_those_that_symbolic_reads(symbolic_files: Path, name: str):
    theirs = next(iter(Archive.open(str(symbolic_files / name)).iter_objects()))
    ours = PortablePdb((symbolic_files / name).read_bytes())
    assert str(ours.debug_id) == theirs.debug_id
    assert ours.has_sources == ("sources" in theirs.features)


def test_a_compiled_method_leads_to_its_statements(symbolic_files: Path):
    sample = symbolic_files / "ppdb-sourcelink-sample"
    pdb = PortablePdb((sample / "ppdb-sourcelink-sample.pdb").read_bytes())
    point = pdb.lookup(1, 0)
    assert point is not None
    assert point.document.endswith(r"ppdb-sourcelink-sample\src\Class1.cs")
    assert (point.line, point.language) == (11, "csharp")
    text = source_context((sample / "src/Class1.cs").read_bytes(), point.line)
    assert text is not None
    assert text.context_line.strip() == 'Console.WriteLine("Hello!");'


def test_an_embedded_source_holds_the_line_of_the_frame(symbolic_files: Path):
    pdb = PortablePdb((symbolic_files / "windows/Sentry.Samples.Console.Basic.pdb").read_bytes())
    assert pdb.lookup(1, 10) == SourcePoint(PROGRAM, 3, "csharp")
    text = pdb.embedded_source(PROGRAM)
    assert text is not None
    context = source_context(text, 3)
    assert context is not None
    assert context.context_line.startswith("using (SentrySdk.Init(")
    assert pdb.embedded_source(PROGRAM.upper()) is None


def test_source_links_of_a_compiled_file_prefer_the_longest_prefix(symbolic_files: Path):
    links = PortablePdb((symbolic_files / "windows/source-links-only.pdb").read_bytes()).source_links
    assert links is not None
    assert links.find(r"C:\dev\dotnet\modules\Carthage\a\b.cs") == (
        "https://raw.githubusercontent.com/Carthage/Carthage/89cb8c89db450c92ea315b303810990530addf01/a/b.cs"
    )


@pytest.mark.parametrize(("offset", "line"), [(0, 10), (3, 10), (4, 10), (5, 10), (6, 7), (1_000_000, 7)])
def test_the_last_visible_point_at_or_before_the_offset_counts(builder: PortablePdbBuilder, offset: int, line: int):
    row = builder.method(1, two_point_method())
    assert PortablePdb(builder.build()).lookup(row, offset) == SourcePoint("/src/app/Program.cs", line, "csharp")


def test_no_line_before_the_first_visible_point_or_outside_of_the_methods(builder: PortablePdbBuilder):
    row = builder.method(1, b"\0" + HIDDEN + visible(3, builders.compressed(9), b"\1"))
    empty = builder.method(1, b"")
    pdb = PortablePdb(builder.build())
    assert pdb.lookup(row, 2) is None
    assert pdb.lookup(row, 3) is not None
    assert [pdb.lookup(number, 3) for number in (empty, 0, -1, empty + 1, 1 << 40)] == [None] * 5


def test_a_method_in_several_documents_names_them_in_its_points(builder: PortablePdbBuilder):
    builder.document("C:\\gen\\Other.fs", "\\", next(k for k, v in reader_module.LANGUAGES.items() if v == "fsharp"))
    first = visible(1, builders.compressed(3), b"\1")
    second = builders.compressed(0) + builders.compressed(2) + visible(2, builders.compressed_signed(1), b"\0")
    row = builder.method(0, builders.compressed(1) + first + second)
    pdb = PortablePdb(builder.build())
    assert pdb.lookup(row, 1) == SourcePoint("/src/app/Program.cs", 3, "csharp")
    assert pdb.lookup(row, 3) == SourcePoint("C:\\gen\\Other.fs", 4, "fsharp")


def test_an_unknown_language_is_none():
    builder = PortablePdbBuilder()
    builder.document("a.x", language=builders.PDB_UUID)
    row = builder.method(1, two_point_method())
    assert PortablePdb(builder.build()).lookup(row, 0) == SourcePoint("a.x", 10, None)


@pytest.mark.parametrize(
    "referenced", [{}, {0x06: 65_536}, {0x06: 65_535}, {0x00: 1, 0x06: 2048}, {0x00: 1, 0x06: 2047}]
)
@pytest.mark.parametrize("wide", [False, True])
def test_columns_are_as_wide_as_heaps_and_referenced_tables_make_them(wide: bool, referenced: dict[int, int]):
    builder = PortablePdbBuilder(wide=wide, referenced=referenced)
    row = builder.method(builder.document("/a/b.cs"), two_point_method())
    builder.information(DOCUMENT_TAG, 1, builders.EMBEDDED_SOURCE, builders.embedded(b"class B {}"))
    builder.information(MODULE_TAG, 1, builders.SOURCE_LINK, b'{"documents":{"/a/*":"https://h/*"}}')
    pdb = PortablePdb(builder.build())
    assert pdb.lookup(row, 0) == SourcePoint("/a/b.cs", 10, "csharp")
    assert pdb.embedded_source("/a/b.cs") == b"class B {}"
    assert pdb.source_links is not None
    assert pdb.source_links.find("/a/b.cs") == "https://h/b.cs"
    assert str(pdb.debug_id) == f"{builders.PDB_UUID}-1020304"


@pytest.mark.parametrize("packed", [False, True])
def test_embedded_sources_are_stored_or_deflated(builder: PortablePdbBuilder, packed: bool):
    text = b"namespace N;\r\n" * 300
    builder.information(DOCUMENT_TAG, 1, builders.EMBEDDED_SOURCE, builders.embedded(text, packed=packed))
    assert PortablePdb(builder.build()).embedded_source("/src/app/Program.cs") == text


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xff\xff\xff\0",
        b"\xff\xff\xff\x7f" + builders.embedded(b"x")[4:],
        b"\x05\0\0\0" + builders.embedded(b"0123456789")[4:],
        b"\x14\0\0\0" + builders.embedded(b"0123456789")[4:],
        builders.embedded(b"0123456789")[:-2],
    ],
    ids=["empty", "negative size", "huge size", "longer than said", "shorter than said", "cut off"],
)
def test_a_broken_embedded_source_is_malformed(builder: PortablePdbBuilder, value: bytes):
    builder.information(DOCUMENT_TAG, 1, builders.EMBEDDED_SOURCE, value)
    with pytest.raises(FormatError):
        PortablePdb(builder.build()).embedded_source("/src/app/Program.cs")


def test_a_document_that_repeats_one_part_endlessly_is_malformed(builder: PortablePdbBuilder):
    part = builders.compressed(builder.blob(b"x" * 10_000))
    builder.documents[0] = (builder.blob(b"/" + part * 10_000), 1)
    row = builder.method(1, two_point_method())
    with pytest.raises(FormatError, match="too long"):
        PortablePdb(builder.build()).lookup(row, 0)


def test_a_point_in_a_document_that_does_not_exist_is_malformed(builder: PortablePdbBuilder):
    row = builder.method(9, two_point_method())
    with pytest.raises(FormatError, match="document"):
        PortablePdb(builder.build()).lookup(row, 0)


def test_metadata_of_an_assembly_is_refused(builder: PortablePdbBuilder):
    with pytest.raises(FormatError, match="not that of a Portable PDB"):
        PortablePdb(builder.build().replace(b"#Pdb\0", b"#Xdb\0"))


def test_a_windows_pdb_is_refused(symbolic_files: Path):
    with pytest.raises(FormatError, match="not a Portable PDB"):
        PortablePdb((symbolic_files / "windows/crash.pdb").read_bytes())


@given(st.integers(0, (1 << 29) - 1))
def test_unsigned_compressed_numbers_come_back(value: int):
    assert compressed(Cursor(memoryview(builders.compressed(value)), "it")) == value


@given(st.integers(-(1 << 28), (1 << 28) - 1))
def test_signed_compressed_numbers_come_back(value: int):
    assert compressed_signed(Cursor(memoryview(builders.compressed_signed(value)), "it")) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [("06", 3), ("7b", -3), ("8080", 64), ("01", -64), ("c0004000", 8192), ("8001", -8192), ("dffffffe", 268435455)],
)
def test_signed_numbers_of_the_specification(raw: str, value: int):
    assert compressed_signed(Cursor(memoryview(bytes.fromhex(raw)), "it")) == value
