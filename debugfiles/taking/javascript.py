"""What a file of a JavaScript build is, and the debug id that it says it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from engine.formats.bytewise import FormatError
from engine.javascript.artifacts import Kind
from engine.javascript.discovery import read_comments
from engine.modules import DebugId

# A script's comments stand at its end; whatever is before these bytes is not looked at.
_TAIL_BYTES: Final = 16 << 20
_SCRIPTS: Final = (".js", ".mjs", ".cjs", ".jsx", ".jsbundle", ".bundle")
_MAP: Final = ".map"
_NAMED: Final = re.compile(r"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})(?:-|\.|$)")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_GUARD: Final = b")]}"


class _Map(msgspec.Struct):
    mappings: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    sections: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    debug_id: Any = None
    debugId: Any = None  # noqa: N815 - the key in the file


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A script or a map. `pair` is the same for a script and its map; `debug_id` is None where the file has none."""

    name: str
    kind: Kind
    debug_id: DebugId | None

    @property
    def pair(self) -> str:
        """The script's path."""
        return self.name.removesuffix(_MAP)


def look_into(data: memoryview, name: str) -> BuiltFile:
    """What the file `name` is. Raises FormatError for what is neither a script nor a source map."""
    found = _read_map(data)
    if found is not None:
        return BuiltFile(name, Kind.SOURCE_MAP, _own_id(found) or _id_in_name(name))
    if not name.lower().endswith(_SCRIPTS):
        raise FormatError("neither a source map nor a script")
    comments = read_comments(bytes(data[-_TAIL_BYTES:]))
    return BuiltFile(name, Kind.MINIFIED_SOURCE, comments.debug_id or _id_in_name(name))


def _read_map(data: memoryview) -> _Map | None:
    text = data[_text_start(bytes(data[:1024])) :]
    if bytes(text[:64]).lstrip()[:1] != b"{":
        return None
    try:
        found = msgspec.json.decode(text, type=_Map)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if found.mappings is msgspec.UNSET and found.sections is msgspec.UNSET else found


def _text_start(head: bytes) -> int:
    """Maps may begin with a line that keeps browsers from taking them for scripts."""
    start = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    return head.find(b"\n") + 1 if head.startswith(_GUARD, start) else start


def _own_id(found: _Map) -> DebugId | None:
    texts = (text for text in (found.debugId, found.debug_id) if isinstance(text, str))
    return next((one for text in texts if (one := DebugId.parse(text)) is not None), None)


def _id_in_name(name: str) -> DebugId | None:
    """Backtrace's tool puts it before the name."""
    found = _NAMED.match(PurePosixPath(name.replace("\\", "/")).name)
    return DebugId.parse(found[1]) if found else None
