"""Fetching the archives of dSYM files that Apple offers for a build.

They lie with a network of caches, at addresses that open to whoever has them: no credentials are sent along.
"""

from __future__ import annotations

import time
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, PassingFailure, Transfer, Trust, WebRequest, session
from engine.sourcetypes.answers import judged
from sources.types.app_store_connect.problems import AppStoreFailure, Problem

TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5
_AGAIN: Final = frozenset({FailureKind.UNREACHABLE})
_REFUSED: Final = frozenset({FailureKind.REFUSED, FailureKind.NOT_FOUND})


def fetch_archive(url: str, target: BinaryIO, trust: Trust, deadline: Deadline, *, plain: bool = False) -> None:
    """Bring an archive to `target` (seekable), going on where a connection broke. `plain`: http will do too.

    Raises LookupFailure in words without the address; AppStoreFailure where the address is of no use. What `target`
    raises comes through.
    """
    _check(url, plain=plain)
    request = WebRequest(session(trust), url, {})
    transfer = Transfer(judged(lambda _: request), target)
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            transfer.attempt(deadline)
        except LookupFailure as failure:
            if last or failure.kind not in _AGAIN or isinstance(failure, PassingFailure):
                raise _explained(failure) from None
        else:
            return
        time.sleep(_PAUSE_SECONDS)


def _check(url: str, *, plain: bool) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ({"https", "http"} if plain else {"https"}) and parts.hostname and "@" not in url
    except ValueError:
        usable = False
    if not usable:
        raise AppStoreFailure(Problem.ARCHIVE, "the address of the archive is not one of the web")


def _explained(failure: LookupFailure) -> LookupFailure:
    if failure.kind in _REFUSED:
        text = "Apple does not give the archive; its address may have expired"
        return AppStoreFailure(Problem.ARCHIVE, text, kind=failure.kind)
    return failure
