"""Which format a crash report is in."""

from __future__ import annotations

import mmap

from engine.apple import plcrash, text
from engine.apple.ips import parse_ips
from engine.apple.report import AppleReport, UnreadableReport

_BOM = b"\xef\xbb\xbf"


def parse_report(data: bytes | bytearray | memoryview | mmap.mmap) -> AppleReport:
    """Read a text report (`.crash`), a JSON report (`.ips`) or one of PLCrashReporter (`.plcrash`).

    Addresses are absolute. Raises BadReport: UnreadableReport for what breaks the rules of its format,
    WrongKindOfReport for reports of Apple's that are not about a crash.
    """
    view = memoryview(data).cast("B")
    if bytes(view[: len(plcrash.MAGIC)]) == plcrash.MAGIC:
        return plcrash.parse_plcrash(view)
    if len(view) > text.MAX_BYTES:
        raise UnreadableReport(f"the report has more than {text.MAX_BYTES} bytes")
    content = (data if isinstance(data, bytes) else bytes(view)).removeprefix(_BOM).lstrip()
    return parse_ips(content) if content.startswith(b"{") else text.parse_text(content)
