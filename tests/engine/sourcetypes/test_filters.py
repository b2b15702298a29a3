"""Which modules a source is asked for."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.modules import ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Filters, Layout
from engine.sourcetypes.filters import admits, wanted_paths
from engine.sourcetypes.globs import BadGlob, matches

KERNEL = Wanted(ModuleType.PE, "5ab380779000", "C:\\Windows\\System32\\kernel32.dll", None, "wkernel32.pdb")


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", "", True),
        ("?:/windows/*", "C:\\Windows\\System32\\kernel32.dll", True),
        ("?:/windows/", "C:\\Windows\\System32\\kernel32.dll", False),
        ("?:/windows", "C:\\Windows\\System32\\kernel32.dll", False),
        ("*.so", "/usr/lib/libc.so", True),
        ("*.so", "/usr/lib/libc.so.6", False),
        ("/usr/*/libc.so", "/usr/lib/x86_64/libc.so", True),
        ("/usr/**/libc.so", "/usr/libc.so", True),
        ("/usr/**/libc.so", "/usr/a/b/libc.so", True),
        ("/usr/**/libc.so", "/usr/a/xlibc.so", False),
        ("**/libc.so", "libc.so", True),
        ("**/libc.so", "/libc.so", True),
        ("**", "/any/thing", True),
        ("/usr/**", "/usr/a/b", True),
        ("lib?.so", "libc.so", True),
        ("lib?.so", "lib.so", False),
        ("lib[a-c].so", "libb.so", True),
        ("lib[!a-c].so", "libb.so", False),
        ("lib[]x].so", "lib].so", True),
        ("*", "/.hidden", True),
        ("LIBC.SO", "libc.so", True),
        ("a+b(c).so", "a+b(c).so", True),
        ("a\nb", "a\nb", True),
        ("libc.so", "libc.so\n", False),
    ],
)
def test_patterns_match_whole_paths(pattern, path, expected):
    assert matches(pattern, path) is expected


@pytest.mark.parametrize("pattern", ["a**", "**a", "a/**b", "***", "[abc", "[", "[!"])
def test_patterns_that_make_no_sense_are_reported(pattern):
    with pytest.raises(BadGlob):
        matches(pattern, "x")


@given(st.lists(st.sampled_from("ab/?*"), max_size=8).map("".join), st.text("ab/", max_size=12))
def test_patterns_agree_with_the_plain_translation(pattern, path):
    if "**" in pattern:
        return
    plain = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert matches(pattern, path) is bool(re.fullmatch(plain, path, re.DOTALL))


def test_a_hostile_pattern_takes_no_time_over_a_hostile_path():
    started = time.monotonic()

    assert not matches("*a" * 60 + "b", "a" * 20_000)
    assert time.monotonic() - started < 1


def test_a_pattern_may_match_either_name():
    assert admits(Filters(path_patterns=("*/kernel32.dll",)), KERNEL)
    assert admits(Filters(path_patterns=("wkernel*",)), KERNEL)
    assert not admits(Filters(path_patterns=("*.so", "/usr/*")), KERNEL)


def test_a_module_without_any_path_matches_no_pattern():
    assert admits(Filters(), Wanted(ModuleType.ELF, "abc"))
    assert not admits(Filters(path_patterns=("*",)), Wanted(ModuleType.ELF, "abc"))


def test_a_checksum_can_be_required():
    filters = Filters(requires_checksum=True)

    assert not admits(filters, KERNEL)
    assert admits(filters, Wanted(ModuleType.PE_DOTNET, debug_file="a.pdb", debug_checksum="SHA256:ab"))


def test_only_the_listed_file_types_are_asked_for_the_likeliest_path_first():
    every = wanted_paths(Filters(), Layout(), KERNEL, [FileType.PE, FileType.ELF_CODE])
    one = wanted_paths(Filters(filetypes=(FileType.PE,)), Layout(), KERNEL, [FileType.ELF_CODE, FileType.PE])

    assert every == [
        (FileType.PE, "kernel32.dll/5AB380779000/kernel32.dll"),
        (FileType.PE, "kernel32.dll/5AB380779000/kernel32.dl_"),
        (FileType.ELF_CODE, "5a/b380779000"),
    ]
    assert one == every[:2]
