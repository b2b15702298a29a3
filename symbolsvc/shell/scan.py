"""Debug files in a directory, known by the ids inside them: where they lie and how they are called does not matter."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from engine.convert.client import Converter, ConverterUnavailable
from engine.convert.wire import ObjectFacts
from engine.errors import LookupFailure
from engine.formats.decompress import decompress, is_packed
from engine.outgoing import Deadline

MAX_FILES: Final = 200_000
MAX_INSPECTED: Final = 10_000
MAX_UNPACKED_BYTES: Final = 2 << 30
_WORKERS: Final = 4
_HEAD_BYTES: Final = 32
_MAGICS: Final = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf",
    b"MZ",
    b"Microsoft C/C++",
    b"BSJB",
    b"MODULE ",
    b"\0asm",
    b"SYSB",
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A debug file. `stamp` differs whenever the file at this path was replaced or changed."""

    path: Path
    stamp: str
    objects: tuple[ObjectFacts, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found, in the order of paths. `cut` when the directory holds more files than are looked at."""

    files: tuple[FoundFile, ...]
    cut: bool = False


def scan(root: Path, converter: Converter, deadline: Deadline, tell: Callable[[str], None]) -> Scan:
    """Look into every file at or below `root` that may be a debug file; what cannot be read is left out.

    `tell` hears how far it is. Raises DeadlineExceeded, and ConverterUnavailable when nothing can be looked into.
    """
    paths, cut = _candidates(root, deadline)
    found = []
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="scan") as pool:
        inspected = pool.map(partial(_inspect, converter=converter, deadline=deadline), paths)
        for count, file in enumerate(inspected, 1):
            tell(f"{root}: looked into {count} of {len(paths)} files")
            if file is not None:
                found.append(file)
    return Scan(tuple(found), cut)


def _candidates(root: Path, deadline: Deadline) -> tuple[list[Path], bool]:
    """The files that begin like a debug file, and whether there are more than were looked at."""
    chosen: list[Path] = []
    for count, path in enumerate(_walk(root)):
        if count == MAX_FILES or len(chosen) == MAX_INSPECTED:
            return chosen, True
        deadline.check()
        if _begins_well(path):
            chosen.append(path)
    return chosen, False


def _walk(root: Path) -> Iterator[Path]:
    """All plain files in the order of their names, links to files among them, links to directories not followed."""
    if root.is_file():
        yield root
        return
    for directory, names, files in os.walk(root):
        names.sort()
        yield from (Path(directory, name) for name in sorted(files))


def _begins_well(path: Path) -> bool:
    try:
        # A pipe would keep whoever opens it.
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return head.startswith(_MAGICS) or (len(head) == _HEAD_BYTES and is_packed(head))


def _inspect(path: Path, *, converter: Converter, deadline: Deadline) -> FoundFile | None:
    try:
        stamp = _stamp(path)
        objects = _objects(path, converter, deadline)
    except (OSError, LookupFailure):
        return None
    except ConverterUnavailable:
        deadline.check()
        raise
    return FoundFile(path, stamp, objects) if objects else None


def _objects(path: Path, converter: Converter, deadline: Deadline) -> tuple[ObjectFacts, ...]:
    """Raises LookupFailure, OSError, ConverterUnavailable, DeadlineExceeded."""
    with path.open("rb") as file, NamedTemporaryFile(prefix="symbolsvc-") as unpacked:
        packed = decompress(file, unpacked, max_bytes=MAX_UNPACKED_BYTES)  # type: ignore[arg-type]  # as BinaryIO has it
        unpacked.flush()
        return converter.inspect(Path(unpacked.name) if packed else path.resolve(), deadline).objects


def _stamp(path: Path) -> str:
    state = path.stat()
    known: Iterable[object] = (path.resolve(), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    return hashlib.sha256("\0".join(map(str, known)).encode("utf-8", "surrogateescape")).hexdigest()
