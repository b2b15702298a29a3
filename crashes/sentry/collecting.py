"""What an envelope brings that is kept: an event, a dump, files beside them. Other items are passed over."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from core.blobs import Incoming, blob_store
from crashes.accepting import NewAttachment
from crashes.receiving import base_name
from crashes.sentry.answers import BadReport
from crashes.sentry.dumps import DUMP_NAME, keep_dump
from crashes.sentry.envelope import Item, ItemHead
from crashes.sentry.events import MOST_BYTES

EVENT: Final = "event"
_ATTACHMENT: Final = "attachment"
_DUMP: Final = "event.minidump"
APPLE_REPORT: Final = "event.applecrashreport"
# A crash in a form that nobody here reads: better refused than lost.
_UNREADABLE: Final = "unreal_report"
_MOST_FILES: Final = 100
_NAMELESS: Final = "attachment"


@dataclass(slots=True)
class Collected:
    """`kinds` has what kind of attachment each file is, by its place; empty where the client does not say."""

    event: bytes | None = None
    dump: Incoming | None = None
    files: list[NewAttachment] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    @property
    def is_report(self) -> bool:
        """Whether there is something that makes a crash of its own, rather than files for one."""
        return self.event is not None or self.dump is not None or APPLE_REPORT in self.kinds


def is_kept(head: ItemHead) -> bool:
    """Whether an item of this head is looked into at all. Raises BadReport for a crash that nobody can read."""
    if head.type == _UNREADABLE:
        raise BadReport(f"items of the type {_UNREADABLE} are not taken")
    return head.type in (EVENT, _ATTACHMENT)


class Collector:
    """Takes the items of one envelope that `is_kept` names. Files live as long as `stack`; `limit`: bytes of each."""

    def __init__(self, stack: ExitStack, limit: int) -> None:
        self._stack = stack
        self._limit = limit
        self.found = Collected()

    def take(self, item: Item) -> None:
        """Take one. Raises BadReport, BodyError and BlobError."""
        if item.head.type == EVENT:
            self._take_event(item)
        elif item.head.attachment_type == _DUMP and self.found.dump is None:
            self.found.dump = keep_dump(item, self._incoming())
        else:
            self._take_file(item)

    def _take_event(self, item: Item) -> None:
        if self.found.event is not None:
            raise BadReport("an envelope has at most one event")
        data = bytearray()
        item.copy_to(data.extend, limit=MOST_BYTES)
        self.found.event = bytes(data)

    def _take_file(self, item: Item) -> None:
        if len(self.found.files) == _MOST_FILES:
            raise BadReport(f"more than {_MOST_FILES} attachments", status=413)
        incoming = self._incoming()
        item.copy_to(incoming.write)
        incoming.finish()
        head = item.head
        name = base_name(_text(head.filename))
        self.found.kinds.append(_text(head.attachment_type))
        self.found.files.append(
            NewAttachment(
                name or (DUMP_NAME if head.attachment_type == _DUMP else _NAMELESS),
                incoming,
                filename=name,
                content_type=_text(head.content_type),
            )
        )

    def _incoming(self) -> Incoming:
        return self._stack.enter_context(blob_store().incoming(self._limit, sha1=False))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
