"""Where a file lies on a source: the path rules of all layouts."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase

from engine.modules import Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Casing, Layout, LayoutType
from engine.sourcetypes.paths.microsoft import index2_paths, ssqp_paths, symstore_paths
from engine.sourcetypes.paths.native import native_paths
from engine.sourcetypes.paths.unified import debuginfod_paths, slashsymbols_paths, unified_paths

__all__ = ["possible_paths"]

_RULES: dict[LayoutType, Callable[[FileType, Wanted], list[str | None]]] = {
    LayoutType.NATIVE: native_paths,
    LayoutType.SYMSTORE: symstore_paths,
    LayoutType.SYMSTORE_INDEX2: index2_paths,
    LayoutType.SSQP: ssqp_paths,
    LayoutType.UNIFIED: unified_paths,
    LayoutType.DEBUGINFOD: debuginfod_paths,
    LayoutType.SLASHSYMBOLS: slashsymbols_paths,
}
# ASCII only: other letters keep their case, since servers' file systems differ about them.
_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_TO_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
_COMPRESSIBLE = frozenset({FileType.PE, FileType.PDB})


def possible_paths(layout: Layout, file_type: FileType, wanted: Wanted) -> list[str]:
    """All paths, relative to the source, at which such a file of the module could lie; the likeliest comes last.

    PE and PDB files may lie there compressed, under a name that ends in an underscore.
    """
    paths = [_cased(layout.casing, path) for path in _RULES[layout.type](file_type, wanted) if path]
    if file_type in _COMPRESSIBLE:
        return [form for path in paths for form in (f"{path[:-1]}_", path)]
    return paths


def _cased(casing: Casing, path: str) -> str:
    match casing:
        case Casing.LOWERCASE:
            return path.translate(_TO_LOWER)
        case Casing.UPPERCASE:
            return path.translate(_TO_UPPER)
        case _:
            return path
