"""dSYM bundles in ZIP archives, as developers make them."""

from __future__ import annotations

import io
import zipfile

import pytest
from symbolic import Archive

from engine.formats.bytewise import FormatError
from engine.formats.decompress import decompress
from engine.formats.dsym import is_dwarf_path
from tests.engine.formats import builders
from tests.engine.shared_fixtures import shared

DWARF = "Shop.app.dSYM/Contents/Resources/DWARF/Shop"
BUNDLE = {
    "Shop.app.dSYM/": b"",
    "Shop.app.dSYM/Contents/Info.plist": b"<plist/>",
    DWARF: b"the debug information",
    "Shop.app.dSYM/Contents/Resources/Relocations/aarch64/Shop.yml": b"---",
    f"__MACOSX/{DWARF.replace('/Shop', '/._Shop')}": b"shadow",
    "__MACOSX/._Shop.app.dSYM": b"shadow",
}


def unpacked(data, max_bytes=1 << 20):
    target = io.BytesIO()
    assert decompress(io.BytesIO(data), target, max_bytes=max_bytes)
    return target.getvalue()


def test_the_debug_information_of_a_bundle_is_taken_out():
    assert unpacked(builders.zipped(BUNDLE)) == b"the debug information"


def test_the_bundle_may_be_zipped_without_its_own_directory():
    inside = {name.partition("/")[2]: content for name, content in BUNDLE.items() if name.startswith("Shop.app.dSYM/C")}
    assert unpacked(builders.zipped(inside)) == b"the debug information"


def test_several_bundles_in_one_archive_are_malformed():
    two = BUNDLE | {DWARF.replace("Shop", "Other"): b"other"}
    with pytest.raises(FormatError, match="2 dSYM bundles"):
        unpacked(builders.zipped(two))


def test_a_bundle_is_not_unpacked_beyond_the_limit():
    with pytest.raises(FormatError, match="more than 1000 bytes"):
        unpacked(builders.zipped({**BUNDLE, DWARF: b"\0" * 100_000}), max_bytes=1000)


@pytest.mark.parametrize(
    ("path", "is_dwarf"),
    [
        (DWARF, True),
        ("a/b/X.dSYM/Contents/Resources/DWARF/x y", True),
        ("X.dSYM\\Contents\\Resources\\DWARF\\x", True),
        ("Contents/Resources/DWARF/x", True),
        ("X.dSYM/Contents/Resources/DWARF/", False),
        ("X.dSYM/Contents/Resources/DWARF/._x", False),
        ("__MACOSX/X.dSYM/Contents/Resources/DWARF/x", False),
        ("X.dSYM/Contents/Resources/Relocations/aarch64/x.yml", False),
        ("x", False),
        ("", False),
    ],
)
def test_paths_of_debug_information(path, is_dwarf):
    assert is_dwarf_path(path) is is_dwarf


def test_a_real_bundle_gives_the_objects_of_its_file():
    root = shared("fixtures/peers/symbolic/macos")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((root / "Example.framework.dSYM").rglob("*")):
            archive.write(file, str(file.relative_to(root)))
    content = unpacked(packed.getvalue())
    found = list(Archive.from_bytes(content).iter_objects())
    assert [(each.arch, each.kind) for each in found] == [("x86_64", "dbg"), ("arm64", "dbg")]
    assert all("debug" in each.features for each in found)
