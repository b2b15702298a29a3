"""Archives for tests: made by Python's own writers, byte by byte where they are hostile, and from other tools."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from debugfiles.archives import Bounds, Candidate, Refused, members

FIXTURES = Path(__file__).parents[2] / "fixtures" / "archives"
PLENTY = Bounds(total=1 << 30)


def read(path: Path, name: str = "", bounds: Bounds = PLENTY) -> tuple[dict[str, bytes], dict[str, str]]:
    """What an archive holds, and what is refused of it with the reason."""
    taken, refused = {}, {}
    for member in members(path, name or path.name, bounds):
        if isinstance(member, Refused):
            refused[member.name] = member.reason
        else:
            assert isinstance(member, Candidate)
            taken[member.name] = b"".join(member.pieces)
    return taken, refused


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def zipped(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            facts = zipfile.ZipInfo(name)
            facts.filename = name
            facts.compress_type = zipfile.ZIP_DEFLATED
            change(facts)
            archive.writestr(facts, content)
    return made.getvalue()


def tarred(
    entries: Iterable[tuple[str, bytes]],
    change: Callable[[tarfile.TarInfo], None] = lambda _: None,
    format_: int = tarfile.PAX_FORMAT,
) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format_) as archive:
        for name, content in entries:
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            change(facts)
            archive.addfile(facts, io.BytesIO(content))
    return made.getvalue()


def cpio(files: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    """The new format."""
    made = b""
    for name, content in [*files.items(), ("TRAILER!!!", b"")]:
        mode = (modes or {}).get(name, 0o100644)
        numbers = (1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(f"{number:08x}".encode() for number in numbers) + name.encode() + b"\0"
        made += head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)
    return made


def ar(files: dict[str, bytes]) -> bytes:
    """System V's way of long names."""
    names = b"".join(name.encode() + b"/\n" for name in files)
    made = b"!<arch>\n" + _ar_member(b"//", names)
    at = 0
    for name, content in files.items():
        made += _ar_member(f"/{at}".encode(), content)
        at += len(name) + 2
    return made


def _ar_member(name: bytes, content: bytes) -> bytes:
    head = name.ljust(16) + b"0".ljust(12) + b"0".ljust(6) + b"0".ljust(6) + b"644".ljust(8)
    return head + str(len(content)).encode().ljust(10) + b"`\n" + content + b"\n" * (len(content) % 2)


def directory_of(count: int) -> bytes:
    """A ZIP64 archive that lists one and the same empty file `count` times."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"x"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    listed = entry * count
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 20, 20, 0, 0, count, count, len(listed), len(local))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(local) + len(listed), 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + listed + end64 + locator + end
