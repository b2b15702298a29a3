"""The base of every error of the service, and the ways a lookup can fail."""

from __future__ import annotations

from enum import StrEnum


class SymbolsvcError(Exception):
    """What went wrong, in words for the person who has to act on it.

    `message` names the field or the file and never holds a secret; `code` is stable and machine readable.
    """

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FailureKind(StrEnum):
    """Why a file of a source could not be had. The kinds are never mixed up, from the downloader to the page."""

    NOT_FOUND = "not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    NOT_CONFIGURED = "not_configured"


class LookupFailure(SymbolsvcError):
    """A file could not be fetched, opened or converted.

    `details` is the text that the wire shows (a status line, say), empty where the protocol shows none.
    """

    code = "lookup_failed"

    def __init__(self, kind: FailureKind, details: str = "") -> None:
        super().__init__(f"{kind.value.replace('_', ' ')}: {details}" if details else kind.value.replace("_", " "))
        self.kind = kind
        self.details = details


class DeadlineExceeded(SymbolsvcError):
    """The whole request ran out of its time."""

    code = "deadline_exceeded"


class BadReport(SymbolsvcError):
    """The crash report itself cannot be read; the message is answered as that of a failed symbolication."""

    code = "bad_report"
