"""What an answer tells besides frames: errors, and tries to have files from the web."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from engine.javascript.scraping import ScrapeFailure


class ErrorType(StrEnum):
    """The errors of frames, in the order in which they are listed."""

    INVALID_LOCATION = "invalid_location"
    INVALID_ABS_PATH = "invalid_abs_path"
    NO_COLUMN = "no_column"
    MISSING_SOURCE_CONTENT = "missing_source_content"
    MISSING_SOURCE = "missing_source"
    MALFORMED_SOURCEMAP = "malformed_sourcemap"
    MISSING_SOURCEMAP = "missing_sourcemap"
    INVALID_BASE64_SOURCEMAP = "invalid_base64_sourcemap"
    SCRAPING_DISABLED = "scraping_disabled"


_ORDER = {kind: number for number, kind in enumerate(ErrorType)}


class FrameError(msgspec.Struct, frozen=True):
    """An error of the frames of one file: equal ones are listed once. `fields` are further ones, in wire order."""

    abs_path: str
    type: ErrorType
    fields: tuple[tuple[str, str | int | None], ...] = ()

    def sort_key(self) -> tuple[Any, ...]:
        """By file, kind, and fields; null comes before every number."""
        values = ((value is not None, value if value is not None else 0) for _, value in self.fields)
        return (self.abs_path, _ORDER[self.type], *values)

    def to_wire(self) -> dict[str, str | int | None]:
        return {"abs_path": self.abs_path, "type": self.type.value, **dict(self.fields)}


def location_error(abs_path: str, line: int, column: int | None) -> FrameError:
    return FrameError(abs_path, ErrorType.INVALID_LOCATION, (("line", line), ("col", column)))


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A try to have one file from the web; `not_attempted` when an artifact made it needless."""

    url: str
    status: str
    reason: str = ""
    details: str = ""

    @classmethod
    def needless(cls, url: str) -> Attempt:
        return cls(url, "not_attempted")

    @classmethod
    def successful(cls, url: str) -> Attempt:
        return cls(url, "success")

    @classmethod
    def failed(cls, url: str, failure: ScrapeFailure) -> Attempt:
        return cls(url, "failure", failure.reason, failure.details)


def sorted_errors(errors: Iterable[FrameError]) -> list[dict[str, str | int | None]]:
    return [error.to_wire() for error in sorted(set(errors), key=FrameError.sort_key)]


def sorted_attempts(attempts: Iterable[Attempt]) -> list[Attempt]:
    """By URL; tries for one URL stay in their order."""
    return sorted(attempts, key=lambda attempt: attempt.url)
