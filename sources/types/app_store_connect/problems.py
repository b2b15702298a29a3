"""How App Store Connect fails, and what people can do about it."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engine.errors import FailureKind, LookupFailure


class Problem(StrEnum):
    """Why App Store Connect gives nothing. The words are those of answers."""

    INCOMPLETE = "incomplete"
    KEY_UNREADABLE = "key_unreadable"
    KEY_REFUSED = "key_refused"
    FORBIDDEN = "forbidden"
    AGREEMENT = "agreement"
    APP_MISSING = "app_missing"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    UNREACHABLE = "unreachable"
    ANSWER = "answer"
    ARCHIVE = "archive"
    STORE = "store"
    INTERNAL = "internal"


_KINDS: Final = MappingProxyType(
    {
        Problem.INCOMPLETE: FailureKind.NOT_CONFIGURED,
        Problem.KEY_UNREADABLE: FailureKind.NOT_CONFIGURED,
        Problem.KEY_REFUSED: FailureKind.REFUSED,
        Problem.FORBIDDEN: FailureKind.REFUSED,
        Problem.AGREEMENT: FailureKind.REFUSED,
        Problem.APP_MISSING: FailureKind.NOT_FOUND,
        Problem.ANSWER: FailureKind.MALFORMED,
        Problem.ARCHIVE: FailureKind.MALFORMED,
    }
)
_REMEDIES: Final = MappingProxyType(
    {
        Problem.INCOMPLETE: "Save the source with all three parts of the API key: issuer ID, key ID and private key.",
        Problem.KEY_UNREADABLE: "Save the source with the whole text of the .p8 file that Apple offered for download"
        " when the key was made. If it is lost, make a new key.",
        Problem.KEY_REFUSED: "Check in App Store Connect, Users and Access, Integrations, that the key is active and"
        " that issuer ID and key ID are those shown there; then save the source with them. The clock of this host must"
        " be right as well.",
        Problem.FORBIDDEN: "Give the key the role Developer or a higher one, and access to this app.",
        Problem.AGREEMENT: "Have the account holder accept the pending agreements in App Store Connect, Business.",
        Problem.APP_MISSING: "Correct appId (the app's Apple ID, a number, under App Information) and bundleId; or"
        " give the key access to this app.",
        Problem.RATE_LIMITED: "Nothing needs to be done: the import goes on by itself. If it happens often, other"
        " tools use the same key up.",
        Problem.UNAVAILABLE: "Nothing needs to be done: the import is tried again by itself. Apple tells about"
        " outages at developer.apple.com/system-status.",
        Problem.UNREACHABLE: "Let this host reach Apple's servers: open the firewall, correct the name server."
        " Where APP_STORE_CONNECT_URL leads into your own network, the operator has to allow its addresses with"
        " ALLOWED_SOURCE_NETWORKS.",
        Problem.ANSWER: "Correct appId, or APP_STORE_CONNECT_URL where the operator set it. If both are right, report"
        " it: Apple's API does not answer as it is documented.",
        Problem.ARCHIVE: "Upload the dSYM files of this build from its archive in Xcode.",
        Problem.STORE: "Have the operator make room where uploaded files are kept, or bring that store back.",
        Problem.INTERNAL: "Have the operator look into the service's log.",
    }
)
_PROBLEMS: Final = MappingProxyType(
    {
        FailureKind.UNREACHABLE: Problem.UNREACHABLE,
        FailureKind.TIMED_OUT: Problem.UNREACHABLE,
        FailureKind.NOT_CONFIGURED: Problem.INCOMPLETE,
    }
)


class AppStoreFailure(LookupFailure):
    """App Store Connect gave nothing. `retry_after`: seconds that it asks to be left alone for, where it says so."""

    code = "app_store_connect"

    def __init__(
        self,
        problem: Problem,
        details: str,
        *,
        kind: FailureKind | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(kind or _KINDS.get(problem, FailureKind.UNREACHABLE), details)
        self.problem = problem
        self.retry_after = retry_after


def of_transport(failure: LookupFailure) -> AppStoreFailure:
    """What went wrong on the way, as a failure of App Store Connect."""
    if isinstance(failure, AppStoreFailure):
        return failure
    problem = _PROBLEMS.get(failure.kind, Problem.ANSWER)
    return AppStoreFailure(problem, failure.details.removeprefix("download failed: "), kind=failure.kind)


def remedy_of(problem: Problem) -> str:
    """What a person can do about it."""
    return _REMEDIES[problem]
