from __future__ import annotations

from pathlib import Path

import pytest
from symbolic import Archive

from engine.formats import fat
from engine.formats.bytewise import FormatError
from tests.engine.formats import builders

X86_64, ARM64 = 0x01000007, 0x0100000C


@pytest.mark.parametrize("wide", [False, True])
def test_objects_are_listed_in_order_and_cut_out(wide: bool):
    data = builders.fat([(X86_64, 3, b"first"), (ARM64, 2 | 0x80000000, b"second"), (99, 0, b"third")], wide=wide)
    assert [entry.arch for entry in fat.entries(data)] == ["x86_64", "arm64e", "unknown"]
    assert [bytes(fat.cut(data, index)) for index in range(3)] == [b"first", b"second", b"third"]


def test_objects_are_those_that_symbolic_sees_in_a_fat_file(symbolic_files: Path):
    objects = [(symbolic_files / name).read_bytes() for name in ("macos/crash", "minidump/crash_macos")]
    data = builders.fat([(X86_64, 3, objects[0]), (X86_64, 8, objects[1])])
    theirs = list(Archive.from_bytes(data).iter_objects())
    assert len(theirs) == 2
    for index, opened in enumerate(theirs):
        # The library does not keep the bytes alive that it was given.
        piece = bytes(fat.cut(data, index))
        assert piece == objects[index]
        (single,) = Archive.from_bytes(piece).iter_objects()
        assert (single.debug_id, single.features) == (opened.debug_id, opened.features)


@pytest.mark.parametrize(("cpu", "subtype"), [*fat._NAMES, *((cpu, 99) for cpu, _ in fat._NAMES), (99, 0)])
def test_architectures_have_the_names_that_symbolic_gives_them(symbolic_files: Path, cpu: int, subtype: int):
    thin = bytearray((symbolic_files / "macos/crash").read_bytes())
    thin[4:12] = cpu.to_bytes(4, "little") + subtype.to_bytes(4, "little")
    data = bytes(thin)
    (theirs,) = Archive.from_bytes(data).iter_objects()
    (ours,) = fat.entries(builders.fat([(cpu, subtype, data)]))
    assert ours.arch == theirs.arch


@pytest.mark.parametrize(
    "data", [b"", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe" + bytes(100), b"\xca\xfe\xba\xbe\0\0\0\x34"]
)
def test_other_files_and_java_classes_are_not_fat(data: bytes):
    assert fat.entries(data) == ()


@pytest.mark.parametrize("index", [-1, 1, 1 << 70])
def test_an_object_that_is_not_listed_is_malformed(index: int):
    with pytest.raises(FormatError, match="no such object"):
        fat.cut(builders.fat([(X86_64, 3, b"only")]), index)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("offset", "size"), [(4, 10), (4096, 100_000), (100_000, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_an_object_outside_of_the_file_or_over_the_header_is_malformed(wide: bool, offset: int, size: int):
    data = bytearray(builders.fat([(X86_64, 3, b"only")], wide=wide))
    width = 8 if wide else 4
    data[16 : 16 + 2 * width] = offset.to_bytes(width, "big") + size.to_bytes(width, "big")
    with pytest.raises(FormatError):
        fat.entries(data)


def test_a_header_that_is_cut_off_is_malformed():
    with pytest.raises(FormatError):
        fat.entries(builders.fat([(X86_64, 3, b"only")])[:20])
