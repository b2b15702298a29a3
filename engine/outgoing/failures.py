"""What went wrong with a connection, in our words."""

from __future__ import annotations

import requests
from urllib3.exceptions import DecodeError, LocationValueError, ReadTimeoutError

from engine.errors import FailureKind, LookupFailure
from engine.outgoing.connections import CONNECT_SECONDS, HEADERS_SECONDS, DestinationRestricted

_LINKS = 10


class PassingFailure(LookupFailure):
    """A failure that says something about us or this moment and nothing about the file: it is not remembered."""


def unreachable(problem: str) -> LookupFailure:
    return LookupFailure(FailureKind.UNREACHABLE, f"download failed: {problem}")


def timed_out(seconds: float) -> LookupFailure:
    whole = int(seconds)
    text = f"{whole // 60}m" if whole >= 60 and whole % 60 == 0 else f"{whole}s"
    return LookupFailure(FailureKind.TIMED_OUT, f"download timed out after {text}")


def explain(error: BaseException) -> LookupFailure:
    """The error of one of four libraries as one of ours. What the peer sent is not repeated, nor the address asked."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, LookupFailure):
            return link
        if isinstance(link, DestinationRestricted):
            return PassingFailure(FailureKind.UNREACHABLE, f"download failed: {link.message}")
    names = {type(link).__name__ for link in chain}
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return timed_out(CONNECT_SECONDS)
    if any(isinstance(link, (requests.ReadTimeout, ReadTimeoutError, TimeoutError)) for link in (error, chain[-1])):
        return timed_out(HEADERS_SECONDS)
    if isinstance(error, DecodeError):
        return LookupFailure(FailureKind.MALFORMED, "the content encoding is broken")
    return unreachable(_words(chain, names))


def _words(chain: list[BaseException], names: set[str]) -> str:
    if any(isinstance(link, (LocationValueError, requests.exceptions.InvalidURL)) for link in chain):
        return "the address cannot be used"
    if names & {"SSLError", "SSLCertVerificationError"}:
        return "the TLS connection could not be made"
    if names & {"NameResolutionError", "gaierror"} or "NameResolution" in repr(chain[0]):
        return "the host name cannot be resolved"
    if isinstance(chain[-1], ConnectionRefusedError):
        return "connection refused"
    return "the connection broke off"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what led to it, innermost last."""
    chain = [error]
    while len(chain) < _LINKS:
        last = chain[-1]
        following = getattr(last, "reason", None) or last.__cause__ or last.__context__
        if not isinstance(following, BaseException):
            break
        chain.append(following)
    return chain
