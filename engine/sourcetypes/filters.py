"""Which modules and files a source is asked for at all."""

from __future__ import annotations

from collections.abc import Sequence

from engine.modules import Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Filters, Layout
from engine.sourcetypes.globs import matches
from engine.sourcetypes.paths import possible_paths


def wanted_paths(
    filters: Filters, layout: Layout, wanted: Wanted, file_types: Sequence[FileType]
) -> list[tuple[FileType, str]]:
    """The paths to ask a source for, best first: file types in the order given, the likeliest path of each first."""
    if not admits(filters, wanted):
        return []
    asked = [file_type for file_type in file_types if not filters.filetypes or file_type in filters.filetypes]
    return [(file_type, path) for file_type in asked for path in reversed(possible_paths(layout, file_type, wanted))]


def admits(filters: Filters, wanted: Wanted) -> bool:
    """Whether the source is asked for this module. A module without any path matches no pattern."""
    if filters.requires_checksum and not wanted.debug_checksum:
        return False
    if not filters.path_patterns:
        return True
    names = [name for name in (wanted.code_file, wanted.debug_file) if name]
    return any(matches(pattern, name) for pattern in filters.path_patterns for name in names)
