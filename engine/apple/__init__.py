"""Apple's crash reports: text, JSON and the protobufs of PLCrashReporter."""

from engine.apple.parse import parse_report
from engine.apple.report import (
    LAST_EXCEPTION,
    AppleFrame,
    AppleImage,
    AppleReport,
    AppleSystem,
    AppleThread,
    UnreadableReport,
    WrongKindOfReport,
)

__all__ = [
    "LAST_EXCEPTION",
    "AppleFrame",
    "AppleImage",
    "AppleReport",
    "AppleSystem",
    "AppleThread",
    "UnreadableReport",
    "WrongKindOfReport",
    "parse_report",
]
