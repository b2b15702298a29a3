"""Which file a class was written in, as far as its name and the mapping tell."""

from __future__ import annotations

_SYNTHETIC_FILE = "R8$$SyntheticClass"


def file_of(original: str, source_file: str | None, reference: str | None) -> str:
    """The name of the file.

    `source_file` is what the mapping says of the class itself, `reference` what it says of the class that the code now
    runs in: of that only the kind of file is taken.
    """
    if source_file == _SYNTHETIC_FILE:
        return _outermost(original)
    return source_file or _made_up(original, reference)


def _made_up(original: str, reference: str | None) -> str:
    for part in original.rpartition(".")[2].split("$"):
        if part.endswith("Kt") and part != "Kt":
            return f"{part.removesuffix('Kt')}.kt"
    return f"{_outermost(original)}{_extension(reference)}"


def _extension(reference: str | None) -> str:
    stem, dot, kind = (reference or "").rpartition(".")
    return f".{kind}" if stem and dot and kind else ".java"


def _outermost(original: str) -> str:
    """The bare name of the outermost class around one."""
    return original.rpartition(".")[2].partition("$")[0]
