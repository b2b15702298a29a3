"""The unwind rules of the system libraries that the captured dumps were made with, for use on any machine."""

from __future__ import annotations

import lzma
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "system_cfi"


def symbol_files() -> dict[str, bytes]:
    """Breakpad symbol files by their path in the native layout."""
    files = {}
    for packed in sorted(FOLDER.glob("*.cfi.xz")):
        content = lzma.decompress(packed.read_bytes())
        _, _, _, debug_id, name = content[: content.index(b"\n")].decode().split(" ", 4)
        files[f"{name}/{debug_id}/{name}.sym"] = content
    return files


def place_symbol_files(directory: Path) -> None:
    """Write them below a directory, which a source with the native layout can then point to."""
    for path, content in symbol_files().items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
