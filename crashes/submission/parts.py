"""Which part of a form is what, known by its name alone: browsers send files as fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.wire.multipart import PartHead
from crashes.accepting import NewAttachment
from crashes.answers import malformed
from crashes.receiving import Bounds, ReceivedFile, Submission, base_name

MAIN: Final = "upload_file"
_MINIDUMP: Final = "upload_file_minidump"
# The part of the report, the preferred one first.
_MAIN_OF: Final = {"minidump": (_MINIDUMP, MAIN)}
_MAIN: Final = (MAIN, _MINIDUMP)
_PREFIXES: Final = ("attachment_", "attachment.")
_TARGET: Final = frozenset({"attachment_name", "attachment_inline"})
_NAMELESS: Final = "attachment"

FIELD_BYTES: Final = 1 << 20
FIELDS_BYTES: Final = 8 << 20
MOST_PARTS: Final = 2_000
MOST_FILES: Final = 100


@dataclass(frozen=True, slots=True)
class Sorted:
    """A body whose parts have found their place."""

    main: ReceivedFile
    attachments: tuple[NewAttachment, ...]
    fields: dict[str, list[str]]


def report_bounds(report_bytes: int) -> Bounds:
    """What the body of a report may be, where a report may have so many bytes."""
    return Bounds(body=report_bytes, field=FIELD_BYTES, fields=FIELDS_BYTES, parts=MOST_PARTS, files=MOST_FILES)


def is_file(head: PartHead) -> bool:
    """Reports, attachments, and whatever has a file name: crashpad names parts after the files themselves."""
    if head.name in _TARGET:
        return False
    return head.filename is not None or head.name in _MAIN or head.name.startswith(_PREFIXES)


def sort(came: Submission, format_: str) -> Sorted:
    """The report and what came beside it. Raises Refusal (400) for a body without a report."""
    names = _MAIN_OF.get(format_, _MAIN)
    main = next((file for name in ("", *names) for file in came.files if file.part == name), None)
    if main is None or (main.part == "" and main.filename):
        raise malformed(f"the form has no part {' or '.join(names)}")
    if not main.incoming.size:
        raise malformed("the report is empty")
    others = (file for file in came.files if file is not main)
    return Sorted(main, tuple(as_attachments(others)), came.fields)


def as_attachments(files: Iterator[ReceivedFile]) -> Iterator[NewAttachment]:
    """Files as they are kept: under the names that their parts give them."""
    for file in files:
        yield NewAttachment(
            name=attachment_name(file.part) or file.filename or _NAMELESS,
            incoming=file.incoming,
            filename=file.filename,
            content_type=file.content_type,
        )


def attachment_name(part: str) -> str:
    """The name of the attachment in a part: `attachment_app.log` is `app.log`; only ever a base name.

    `attachment.log` stays what it is: the name has nothing else before its suffix.
    """
    return base_name(part.removeprefix("attachment_"))
