"""Whether a report is of the format that its address says: the first bytes tell, and for JSON all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from crashes.answers import malformed
from crashes.submission.json_report import JsonFacts, read_report

# A minidump's magic in either byte order.
_DUMPS: Final = (b"MDMP", b"PMDM")
_PLCRASH: Final = b"plcrash\x01"


def examined(format_: str, path: Path) -> JsonFacts:
    """What the report in a file says of itself, where its format can. Raises Refusal (400) for another format."""
    if format_ == "json":
        return read_report(path)
    with path.open("rb") as file:
        head = file.read(len(_PLCRASH))
    if format_ == "minidump" and head[:4] not in _DUMPS:
        raise malformed("the report is no minidump")
    if format_ == "plcrash" and head != _PLCRASH:
        raise malformed("the report is no crash report of PLCrashReporter")
    return JsonFacts()
