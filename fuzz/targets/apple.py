"""Crash reports of Apple's systems: text, .ips and .plcrash."""

from __future__ import annotations

from engine.apple import parse_report
from engine.errors import BadReport
from fuzz.seeds import corpus, files, shared
from fuzz.target import Shape, Target
from tests.engine.apple.reports import ips_report, ips_text, plcrash_report, text_report

_TOO_LARGE = 1 << 64
_WORDS = (
    b"Thread Crashed: Binary Images: Last Exception Backtrace: 0x 0xffffffffffffffff ??? - + EOF State (64-bit): "
    b"Application Specific Information: Triggered by Thread: Exception Type: <00010203> arm64e"
).split(b" ")
_FIELDS = (
    b"frames imageIndex imageOffset symbol usedImages base size uuid path name threads triggered threadState value x "
    b"lr pc sp fp exception type signal asi lastExceptionBacktrace legacyInfo vmSummary sharedCache"
).split(b" ")


def _read(data: bytes) -> None:
    """Addresses are of 64 bits, and all of it can be written down again."""
    report = parse_report(data)
    for thread in report.threads:
        assert all(0 <= frame.address < _TOO_LARGE for frame in thread.frames)
        assert all(0 <= value < _TOO_LARGE for value in thread.registers.values())
    assert all(0 <= image.start < _TOO_LARGE and 0 <= image.size < _TOO_LARGE for image in report.images)
    str(report).encode()


def _text() -> list[bytes]:
    return [text_report(), *shared("peers/**/*.crash", "peers/**/*apple*.txt"), *corpus("apple text")]


def _ips() -> list[bytes]:
    return [ips_report(), ips_text(), *shared("peers/**/*.ips"), *corpus("apple ips")]


def _body(data: bytes) -> None:
    """The second of the two values that such a report is; the first one stays as it is."""
    _read(ips_report().partition(b"\n")[0] + b"\n" + data)


TARGETS = (
    Target("apple text", _text, _read, (BadReport,), shape=Shape.LINES, words=_WORDS, runs=250),
    Target("apple ips", _ips, _read, (BadReport,), words=_FIELDS, runs=300),
    Target(
        "apple ips body",
        lambda: [ips_report().partition(b"\n")[2]],
        _body,
        (BadReport,),
        shape=Shape.JSON,
        words=_FIELDS,
        runs=300,
    ),
    Target(
        "apple plcrash",
        lambda: [plcrash_report(), *files("apple/*.plcrash"), *shared("captures/plcrash/*.plcrash")],
        _read,
        (BadReport,),
        runs=500,
    ),
)
