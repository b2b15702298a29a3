"""The files of unwind rules that a process keeps open: converted ones, and object files with tables of their own."""

from __future__ import annotations

from pathlib import Path

from engine.formats.bytewise import FormatError, mapped
from engine.formats.cfi import CfiIndex
from engine.formats.eh_frame import EhFrameIndex
from engine.native.open_files import OpenFiles
from engine.unwind.module_rules import ModuleRules, RuleBudget

_OPEN_FILES = 512


class OpenCfis:
    """Open files of unwind rules by identity, at most `limit` of them; what was used lately stays."""

    def __init__(self, limit: int = _OPEN_FILES, budget: RuleBudget | None = None) -> None:
        self._open: OpenFiles[ModuleRules] = OpenFiles(limit)
        self._budget = budget or RuleBudget()

    def get(self, identity: str, path: Path, checksum: int | None = None) -> ModuleRules:
        """The rules of the file with this content, mapped from `path` if need be.

        With `checksum` it is an object file whose tables must have this CRC-32; one that is damaged is removed, for it
        to be fetched again. Other files must have passed theirs. Raises FormatError when the file is not as it should
        be, OSError when it cannot be opened.
        """

        def opened() -> ModuleRules:
            index = CfiIndex.open(path) if checksum is None else _in_place(path, checksum)
            return ModuleRules(index, self._budget)

        return self._open.get(identity, path, opened)

    def __len__(self) -> int:
        return len(self._open)


def _in_place(path: Path, checksum: int) -> EhFrameIndex:
    with open(path, "rb") as file:
        content = mapped(file)
    try:
        index = EhFrameIndex(content)
        if index.checksum != checksum:
            raise FormatError("the unwind tables are damaged")
    except FormatError:
        path.unlink(missing_ok=True)
        raise
    return index
