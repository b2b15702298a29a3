"""Source Link: where on the web the text of a source file lies.

The format is the `documents` map of the Source Link specification (dotnet/designs, "Source Link"): a JSON object whose
keys are paths, at most with one `*` at their end, and whose values are URLs.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine.formats.bytewise import Data, FormatError, viewed

MAX_JSON_BYTES = 16 << 20
_SCHEMES = ("http://", "https://")


class _Document(msgspec.Struct):
    documents: dict[str, str | None]


class SourceLinks:
    """A map of paths to URLs. Case does not matter in paths; an exact path wins over the longest prefix."""

    def __init__(self, documents: Mapping[str, str | None]) -> None:
        self._exact: dict[str, str] = {}
        self._prefixes: dict[str, tuple[str, str]] = {}
        for path, url in documents.items():
            self._add(_folded(path), url or "")
        self._lengths = sorted({len(prefix) for prefix in self._prefixes}, reverse=True)

    @classmethod
    def parse(cls, data: Data) -> SourceLinks:
        """Read the JSON document `{"documents": {…}}`; FormatError when it is none."""
        view = viewed(data)
        if len(view) > MAX_JSON_BYTES:
            raise FormatError("the source link document is too large")
        try:
            # Some writers put a byte order mark in front.
            return cls(msgspec.json.decode(bytes(view).removeprefix(b"\xef\xbb\xbf"), type=_Document).documents)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise FormatError("the source link document is not valid") from None

    def __len__(self) -> int:
        return len(self._exact) + len(self._prefixes)

    def find(self, path: str) -> str | None:
        """The http or https URL of the file that the compiler knew as `path`; None when the map does not tell."""
        folded = _folded(path)
        exact = self._exact.get(folded)
        if exact is not None:
            return exact
        for length in self._lengths:
            halves = self._prefixes.get(folded[:length]) if length <= len(folded) else None
            if halves:
                return path[length:].replace("\\", "/").join(halves)
        return None

    def _add(self, path: str, url: str) -> None:
        """What is no pair of paths, or leads elsewhere than to the web, is left out."""
        if not url.lower().startswith(_SCHEMES):
            return
        if "*" not in path:
            self._exact.setdefault(path, url)
        elif path.find("*") == len(path) - 1 and url.count("*") == 1:
            before, _, after = url.partition("*")
            self._prefixes.setdefault(path[:-1], (before, after))


def _folded(path: str) -> str:
    """Lower case, of the same length: some letters grow when lowered."""
    lowered = path.lower()
    if len(lowered) == len(path):
        return lowered
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in path)
