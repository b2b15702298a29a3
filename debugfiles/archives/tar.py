"""tar archives: ustar, pax, GNU and what came before them (POSIX.1-2001, GNU tar's manual)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from debugfiles.archives.entries import LONGEST_NAME, Entry, EntryKind, text_of
from debugfiles.archives.streams import ByteStream
from engine.formats.bytewise import FormatError

BLOCK: Final = 512
_MAX_PAX: Final = 1 << 20
_CHECKSUM: Final = slice(148, 156)
_FILES: Final = b"07\0"
_WITHOUT_CONTENT: Final = b"123456"
_LARGEST: Final = 1 << 62
_KINDS: Final = {
    ord("1"): EntryKind.LINK,
    ord("2"): EntryKind.LINK,
    ord("3"): EntryKind.DEVICE,
    ord("4"): EntryKind.DEVICE,
    ord("5"): EntryKind.DIRECTORY,
    ord("6"): EntryKind.DEVICE,
}


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    size: int
    type: int
    sparse_more: bool


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with `head` (512 bytes) is a tar archive: its first block matches its checksum."""
    return len(head) >= BLOCK and head[0] != 0 and _matches(head[:BLOCK])


def tar_entries(stream: ByteStream) -> Iterator[Entry]:
    """The entries of an archive that comes as a stream. Raises FormatError."""
    named: dict[str, bytes] = {}
    everywhere: dict[str, bytes] = {}
    while (header := _next_header(stream)) is not None:
        extension = _extension(stream, header, everywhere)
        if extension is not None:
            named |= extension
            continue
        merged, named = everywhere | named, {}
        yield from _entry(stream, header, merged)


def _entry(stream: ByteStream, header: _Header, named: dict[str, bytes]) -> Iterator[Entry]:
    size = _pax_size(named, header.size)
    if header.type in _WITHOUT_CONTENT:
        size = 0
    name = named.get("path", header.name)
    sparse = header.type == ord("S") or any(key.startswith("GNU.sparse.") for key in named)
    more = header.sparse_more
    while more:
        more = stream.exactly(BLOCK)[504] != 0
    content = stream.section(size)
    kind = EntryKind.DIRECTORY if name.endswith(b"/") else _KINDS.get(header.type, EntryKind.FILE)
    problem = "a sparse file; pack it with its holes" if sparse else ""
    if not sparse and header.type not in _FILES and header.type not in _KINDS:
        problem = "an entry of a kind that is not known"
    yield Entry(text_of(name), kind, size, content, problem)
    content.skip()
    stream.skip(-size % BLOCK)


def _next_header(stream: ByteStream) -> _Header | None:
    """The next header; None at the end, which is a block of zeros, or nothing where somebody forgot it."""
    block = stream.up_to(BLOCK)
    if not block or not any(block):
        return None
    if len(block) != BLOCK:
        raise FormatError("the tar archive ends too early")
    if not _matches(block):
        raise FormatError("a header of the tar archive does not match its checksum")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = _text(block[345:500]) + b"/" + name
    return _Header(name, _number(block[124:136]), block[156], block[156] == ord("S") and block[482] != 0)


def _extension(stream: ByteStream, header: _Header, everywhere: dict[str, bytes]) -> dict[str, bytes] | None:
    """What a header says about the entry behind it; empty when it is about all, None when it is an entry itself."""
    match chr(header.type):
        case "L":
            return {"path": _content(stream, header.size, LONGEST_NAME).partition(b"\0")[0]}
        case "K":
            _content(stream, header.size, LONGEST_NAME)
            return {}
        case "x" | "X":
            return _pax(_content(stream, header.size, _MAX_PAX))
        case "g":
            everywhere |= _pax(_content(stream, header.size, _MAX_PAX))
            if len(everywhere) > 1000:
                raise FormatError("the tar archive has too many global headers")
            return {}
        case "V":
            stream.skip(header.size + -header.size % BLOCK)
            return {}
    return None


def _content(stream: ByteStream, size: int, most: int) -> bytes:
    if size > most:
        raise FormatError("a header of the tar archive is too large")
    content = stream.exactly(size)
    stream.skip(-size % BLOCK)
    return content


def _pax(content: bytes) -> dict[str, bytes]:
    """Records `length key=value` with a line feed at the end; only those that matter here are kept."""
    found, at = {}, 0
    while at < len(content):
        digits, space, _ = content[at : at + 20].partition(b" ")
        if not space or not digits.isdigit():
            raise FormatError("a pax header of the tar archive is broken")
        record = content[at + len(digits) + 1 : at + int(digits) - 1]
        key, equals, value = record.partition(b"=")
        if not equals or int(digits) <= len(digits) + 1:
            raise FormatError("a pax header of the tar archive is broken")
        at += int(digits)
        if key in (b"path", b"size") or key.startswith(b"GNU.sparse."):
            found[text_of(key)] = value
    return found


def _pax_size(named: dict[str, bytes], size: int) -> int:
    text = named.get("size")
    if text is None:
        return size
    if not text.isdigit() or len(text) > 18:
        raise FormatError("a size in the tar archive is not valid")
    return int(text)


def _matches(block: bytes) -> bool:
    """The sum of all bytes, the checksum's own taken for spaces; old programs summed signed bytes."""
    try:
        told = int(_text(block[_CHECKSUM]).strip() or b"x", 8)
    except ValueError:
        return False
    own = block[_CHECKSUM]
    unsigned = sum(block) - sum(own) + 8 * ord(" ")
    return told == unsigned or told == unsigned - 256 * (_high(block) - _high(own))


def _high(data: bytes) -> int:
    return sum(byte >= 128 for byte in data)


def _number(field: bytes) -> int:
    """Octal digits, or, with the highest bit set, a binary number."""
    if field[0] & 0x80:
        number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    else:
        digits = _text(field).strip()
        if not all(byte in b"01234567" for byte in digits):
            raise FormatError("a size in the tar archive is not valid")
        number = int(digits or b"0", 8)
    if number > _LARGEST:
        raise FormatError("a size in the tar archive is not valid")
    return number


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
