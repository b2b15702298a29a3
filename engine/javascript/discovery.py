"""What a script says of its source map: a comment with a URL, a comment with a debug id, a map in a data URL."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from engine.formats.bytewise import FormatError
from engine.modules import DebugId

_MAP = b"sourceMappingURL="
_MAP_MARKS = (b"//# ", b"//@ ")
_ID = b"debugId="
_ID_MARKS = (b"//# ",)
_DATA = "data:"
_SPACE = b" \t\n\r\f"
_VALUE = re.compile(rb"[^ \t\n\r\f]*")


@dataclass(frozen=True, slots=True)
class Comments:
    """The URL of a map as written (without query and fragment), and a debug id; None where there is none."""

    map_url: str | None
    debug_id: DebugId | None


def read_comments(text: bytes) -> Comments:
    """The last comment of each kind counts, wherever in a line it stands."""
    written = _last_value(text, _MAP, _MAP_MARKS)
    debug_id = _last_value(text, _ID, _ID_MARKS)
    return Comments(map_reference(written) if written else None, DebugId.parse(debug_id) if debug_id else None)


def map_reference(written: str) -> str | None:
    """A URL of a map without query and fragment; None when nothing is left of it."""
    return written.partition("?")[0].partition("#")[0] or None


def is_data_url(url: str) -> bool:
    return url.startswith(_DATA)


def data_url_content(url: str) -> bytes:
    """What a data URL holds. FormatError when it is not encoded as it says, or holds no UTF-8."""
    head, comma, body = url.removeprefix(_DATA).partition(",")
    if not comma:
        raise FormatError("the data URL holds no data")
    try:
        encoded = unquote_to_bytes(body)
        content = base64.b64decode(encoded, validate=True) if head.endswith(";base64") else encoded
        content.decode()
    except (binascii.Error, UnicodeError):
        raise FormatError("the data URL is not valid") from None
    return content


def _last_value(text: bytes, name: bytes, marks: tuple[bytes, ...]) -> str | None:
    end = len(text)
    while (at := text.rfind(name, 0, end)) >= 0:
        if text[max(at - len(marks[0]), 0) : at] in marks:
            return _value(text, at + len(name))
        end = at + len(name) - 1
    return None


def _value(text: bytes, start: int) -> str:
    while start < len(text) and text[start] in _SPACE:
        start += 1
    found = _VALUE.match(text, start)
    return found[0].decode(errors="replace") if found else ""
