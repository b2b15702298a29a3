"""A report that is looked into: that of a crash, or one that was handed over only to be looked into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Self

from crashes.models import Crash
from crashes.reports.content import MOST_JSON_BYTES, content_of
from crashes.reports.model import UnreadableReport
from engine.outgoing import Deadline


@dataclass(frozen=True, slots=True)
class Sent:
    """A report of `size` bytes in one of the formats of crashes, and what its client said besides.

    `open` maps the bytes; it raises BlobError, OSError and DeadlineExceeded.
    """

    format: str
    size: int
    open: Callable[[], AbstractContextManager[memoryview]] = field(repr=False)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    modifiers: Mapping[str, Any] = field(default_factory=dict)
    classifiers: Sequence[str] = ()
    occurred_at: datetime | None = None

    @classmethod
    def of(cls, crash: Crash, deadline: Deadline) -> Self:
        """The report of a crash, from wherever blobs lie."""
        return cls(
            crash.format,
            crash.size,
            partial(content_of, crash, deadline),
            crash.attributes,
            crash.modifiers,
            crash.classifiers,
            crash.occurred_at,
        )

    def json(self) -> bytes:
        """A report in JSON. Raises UnreadableReport for one that is too large, and what `open` raises."""
        if self.size > MOST_JSON_BYTES:
            raise UnreadableReport(f"The report is larger than the {MOST_JSON_BYTES >> 20} MiB that are read of JSON.")
        with self.open() as content:
            return bytes(content)
