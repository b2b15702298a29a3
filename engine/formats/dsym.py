"""dSYM bundles: directories in which Apple's tools put a binary's debug information.

`Name.dSYM/Contents/Resources/DWARF/Name` is the Mach-O file that counts. Beside it lie an Info.plist and, at times,
`Resources/Relocations`; an archive made on a Mac has a shadow of each file (`__MACOSX/…/._Name`) besides.
"""

from __future__ import annotations

from collections.abc import Iterable

_DWARF = ("Contents", "Resources", "DWARF")


def is_dwarf_path(path: str) -> bool:
    """Whether a file with this path (of an archive or below a directory) is the debug information of a bundle."""
    parts = path.replace("\\", "/").split("/")
    shadow = parts[0] == "__MACOSX" or parts[-1].startswith("._") or not parts[-1]
    return tuple(parts[-4:-1]) == _DWARF and not shadow


def dwarf_paths(paths: Iterable[str]) -> list[str]:
    """Those among the paths that are the debug information of a bundle, in the order given."""
    return [path for path in paths if is_dwarf_path(path)]
