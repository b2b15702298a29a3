"""Which layout a source has, concluded from paths of files that are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from engine.sourcetypes.config import LayoutType

_BREAKPAD: Final = r"[0-9A-F]{32}[0-9a-f]+"
_NAME: Final = r"[^/]+"
_KEYED: Final = r"(?:elf-buildid(?:-sym)?-[0-9a-f]+|mach-uuid(?:-sym)?-[0-9a-f]{32})"
# In the order in which a path that fits several counts: the narrower ones first.
_PATTERNS: Final = {
    LayoutType.DEBUGINFOD: re.compile(r"[0-9a-f]{8,64}/(?:debuginfo|executable)"),
    LayoutType.UNIFIED: re.compile(
        r"[0-9a-f]{2}/[0-9a-f]{4,62}/(?:debuginf[o_]|executabl[e_]|breakpad|sourcebundle|uuidmap)", re.I
    ),
    LayoutType.SLASHSYMBOLS: re.compile(rf"{_NAME}/[0-9A-Fa-f]{{8,64}}/symbol[s_]"),
    LayoutType.SYMSTORE_INDEX2: re.compile(r"(?P<two>[^/]{1,2})/(?P<name>(?P=two)[^/]*)/[^/]+/[^/]+", re.I),
    LayoutType.SSQP: re.compile(rf"[^/A-Z]+/(?:{_KEYED}|[0-9a-f]{{32}}[0-9A-Fa-f]{{1,8}}|[0-9a-f]{{9,20}})/[^/A-Z]+"),
    LayoutType.SYMSTORE: re.compile(rf"{_NAME}/(?:{_KEYED}|{_BREAKPAD}|[0-9A-F]{{8}}[0-9a-f]{{1,8}})/{_NAME}"),
    LayoutType.NATIVE: re.compile(
        r"[0-9a-f]{2}/[0-9a-f]{4,62}(?:\.debug|\.src\.zip)?|(?:[0-9A-F]{4}/){5}[0-9A-F]{12}(?:\.app|\.src\.zip)?"
        rf"|{_NAME}/{_BREAKPAD}/{_NAME}\.sym",
        re.I,
    ),
}
# Files that stand for a layout by being there.
WELL_KNOWN: Final = {
    "index2.txt": LayoutType.SYMSTORE_INDEX2,
    "000Admin/lastid.txt": LayoutType.SYMSTORE,
    "pingme.txt": LayoutType.SYMSTORE,
}


def fits(layout: LayoutType, path: str) -> bool:
    """Whether a file at this path can be meant by the layout. The casing of native paths is not looked at."""
    return _PATTERNS[layout].fullmatch(path) is not None


def guess_layout(paths: Iterable[str]) -> LayoutType | None:
    """The layout that most of the paths fit, None when none fits any."""
    seen: Counter[LayoutType] = Counter()
    for path in paths:
        known = WELL_KNOWN.get(path)
        layout = known or next((one for one in _PATTERNS if fits(one, path)), None)
        if layout is not None:
            seen[layout] += 1
    return seen.most_common(1)[0][0] if seen else None
