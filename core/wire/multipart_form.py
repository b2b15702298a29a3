"""Multipart bodies as forms: small fields in memory, files on the disk, everything else read away."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from django.http import HttpRequest
from rest_framework.request import Request

from core.wire.errors import BodyError
from core.wire.multipart import MultipartLimits, Part, PartHead, PartTooLarge, stream_parts

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
# Bytes that are written before the disk is looked at again.
_STRIDE: Final = 16 * 1024 * 1024


class NoRoom(BodyError):
    """The disk of the spool directory is full, or would leave less free than is to be spared."""

    code = "no_room"
    status = 503

    def __init__(self) -> None:
        super().__init__("There is no room for the upload just now. Try again later.")


class Keep(Enum):
    """What becomes of a part."""

    FIELD = auto()
    FILE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """A part that was kept in memory."""

    head: PartHead
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A part that was written to the disk. `size` is in bytes; `file` can be read from any position.

    It has no name: the system frees it when it is closed, and when the process dies, however it dies.
    """

    head: PartHead
    file: BinaryIO = field(repr=False)
    size: int

    def content(self) -> mmap.mmap | bytes:
        """The whole content, read only, without a copy; it stays readable after the file is closed."""
        return mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""


@dataclass(slots=True)
class Form:
    """What was kept of a body, in its order. To be closed, or used with `with`."""

    fields: list[Field] = field(default_factory=list)
    files: list[SpooledFile] = field(default_factory=list)

    def close(self) -> None:
        """Free the files, as often as called."""
        for spooled in self.files:
            spooled.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def memory(self) -> int:
        """Bytes of all fields."""
        return sum(len(one.data) for one in self.fields)

    def repeated(self) -> str | None:
        """The first name that two kept parts have in common."""
        names = [one.head.name for one in self.fields] + [one.head.name for one in self.files]
        return next((name for name in names if names.count(name) > 1), None)


Choose = Callable[[PartHead], Keep]


def named(*, fields: Collection[str] = (), files: Collection[str] = ()) -> Choose:
    """Keep parts of these names."""
    kinds = dict.fromkeys(fields, Keep.FIELD) | dict.fromkeys(files, Keep.FILE)
    return lambda head: kinds.get(head.name, Keep.NOTHING)


def read_multipart(request: HttpRequest | Request, *, limits: MultipartLimits, keep: Choose, spool: Path) -> Form:
    """Read the body of `request` to its end. `spool` is a directory for files, made when absent.

    Raises what `core.wire.multipart.stream_parts` raises, PartTooLarge for fields, and NoRoom; nothing is left behind
    then.
    """
    form = Form()
    try:
        for part in stream_parts(request, limits=limits):
            _take(form, part, keep(part.head), limits, spool)
    except BaseException:
        form.close()
        raise
    return form


def _take(form: Form, part: Part, keep: Keep, limits: MultipartLimits, spool: Path) -> None:
    if keep is Keep.FIELD:
        form.fields.append(_in_memory(part, limits, limits.memory - form.memory))
    elif keep is Keep.FILE:
        form.files.append(_on_disk(part, spool, limits.spare))


def _in_memory(part: Part, limits: MultipartLimits, room: int) -> Field:
    data = bytearray()
    try:
        part.copy_to(data.extend, limit=min(limits.field, room))
    except PartTooLarge as error:
        if error.limit < limits.field:
            raise PartTooLarge("all fields together", limits.memory) from None
        raise
    return Field(part.head, bytes(data))


class _Writer:
    """Writes to a file as long as its disk has room to spare; all who write there are bounded by that together."""

    def __init__(self, target: BinaryIO, spare: int) -> None:
        self._target = target
        self._spare = spare
        self._unseen = _STRIDE

    def write(self, piece: bytes) -> None:
        """Raises NoRoom and OSError."""
        self._unseen += len(piece)
        if self._spare and self._unseen > _STRIDE:
            self._unseen = 0
            disk = os.fstatvfs(self._target.fileno())
            if disk.f_bavail * disk.f_frsize < self._spare:
                raise NoRoom
        self._target.write(piece)


def _on_disk(part: Part, spool: Path, spare: int) -> SpooledFile:
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    target: BinaryIO = tempfile.TemporaryFile(dir=spool, prefix="part-")  # noqa: SIM115 - belongs to the form
    try:
        size = part.copy_to(_Writer(target, spare).write)
        target.flush()
    except OSError as error:
        target.close()
        if error.errno in _FULL:
            raise NoRoom from None
        raise
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return SpooledFile(part.head, target, size)
