"""A file that holds at most so many bytes."""

from __future__ import annotations

from typing import Protocol

from engine.errors import FailureKind, LookupFailure


class Target(Protocol):
    def write(self, data: bytes, /) -> int: ...
    def seek(self, offset: int, /) -> int: ...
    def tell(self) -> int: ...
    def truncate(self) -> int: ...


class Bounded:
    """A file to write to that holds at most `limit` bytes; writing more raises LookupFailure (too large)."""

    def __init__(self, file: Target, limit: int) -> None:
        self._file = file
        self._limit = limit

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._limit:
            raise LookupFailure(FailureKind.TOO_LARGE, "the file is larger than allowed")
        return self._file.write(data)

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def truncate(self) -> int:
        return self._file.truncate()
