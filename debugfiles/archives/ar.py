"""ar archives, as linkers and Debian's packages have them: System V's and BSD's ways of long names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from debugfiles.archives.entries import LONGEST_NAME, Entry, text_of
from debugfiles.archives.streams import ByteStream
from engine.formats.bytewise import FormatError

MAGIC: Final = b"!<arch>\n"
_HEADER: Final = 60
_TABLES: Final = (b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED")
_MAX_NAMES: Final = 64 << 20


def ar_entries(stream: ByteStream) -> Iterator[Entry]:
    """The entries of an archive that comes as a stream. Raises FormatError."""
    stream.skip(len(MAGIC))
    names = b""
    while header := stream.up_to(_HEADER):
        if len(header) != _HEADER or header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise FormatError("a header of the ar archive is not valid")
        name, size = header[:16].rstrip(b" "), int(header[48:58])
        padding = size % 2
        if name == b"//":
            names = _name_table(stream, size)
        else:
            name, size = _full_name(stream, name, size, names)
            content = stream.section(size)
            if name not in _TABLES:
                yield Entry(text_of(name), size=size, content=content)
            content.skip()
        # The last member need not be padded.
        stream.up_to(padding)


def _name_table(stream: ByteStream, size: int) -> bytes:
    if size > _MAX_NAMES:
        raise FormatError("the names of the ar archive are too long")
    return stream.exactly(size)


def _full_name(stream: ByteStream, name: bytes, size: int, names: bytes) -> tuple[bytes, int]:
    """The whole name, and how much of the member is left behind it."""
    if name.startswith(b"#1/") and name[3:].isdigit():
        length = int(name[3:])
        if length > min(size, LONGEST_NAME):
            raise FormatError("a name in the ar archive is too long")
        return stream.exactly(length).rstrip(b"\0"), size - length
    if name.startswith(b"/") and name[1:].isdigit():
        at = int(name[1:])
        return names[at : at + LONGEST_NAME].partition(b"\n")[0].removesuffix(b"/"), size
    return (name if name in _TABLES else name.removesuffix(b"/")), size
