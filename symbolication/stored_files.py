"""Crash files that lie on a server of the caller: what a request says about them, and fetching them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from debugfiles.composing import Asker
from engine.decoding import BadSchema, decode_body
from engine.errors import BadReport, LookupFailure
from engine.lookup.bounded import Bounded
from engine.native.wire import Options, Scraping
from engine.outgoing import Deadline, Trust, WebRequest, session
from engine.run.report_wire import GivenRule, ReportOptions, made_rules
from engine.sourcetypes.answers import judged
from engine.sourcetypes.tries import Host, fetch_file
from symbolication.crash_files import APPLE, FILE_LIMIT, MINIDUMP, Kind, Told, present, spool

NO_SOURCES: Final = msgspec.Raw(b"[]")
_NULL: Final = msgspec.Raw(b"null")
_RULES_PATH: Final = "$.symbolicate.rewrite_first_module"
_LONGEST_URL: Final = 32 * 1024
_Url = Annotated[str, Meta(max_length=_LONGEST_URL)]


class _Minidump(msgspec.Struct, tag="minidump"):
    storage_url: _Url
    rewrite_first_module: list[GivenRule]
    storage_token: str | None = None


class _AppleReport(msgspec.Struct, tag="applecrashreport"):
    storage_url: _Url
    storage_token: str | None = None


class _Body(msgspec.Struct):
    symbolicate: _Minidump | _AppleReport
    platform: str | None = None
    sources: msgspec.Raw = _NULL
    scraping: Scraping | None = None
    options: Options | None = None


_decoder: Final = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A crash file on a server. Address and token may be secrets."""

    kind: Kind
    url: str = field(repr=False)
    token: str | None = field(repr=False)


def decode_stored(body: bytes) -> tuple[StoredFile, Told]:
    """Decode the body of POST /symbolicate-any. Raises BadJson and BadSchema."""
    wire = decode_body(_decoder, body)
    named = wire.symbolicate
    rules = made_rules(named.rewrite_first_module, _RULES_PATH) if isinstance(named, _Minidump) else ()
    _check(named.storage_url, named.storage_token)
    options = ReportOptions(
        dif_candidates=wire.options is not None and wire.options.dif_candidates is True,
        scraping=wire.scraping,
        rewrite_first_module=rules,
        platform=wire.platform,
    )
    kind = MINIDUMP if isinstance(named, _Minidump) else APPLE
    return StoredFile(kind, named.storage_url, named.storage_token), Told(present(wire.sources), options)


def fetch(stored: StoredFile, asker: Asker, deadline: Deadline) -> BinaryIO:
    """The file, without a name on the disk and to be closed; decoded, and of no more than FILE_LIMIT bytes.

    It may lie at reserved addresses where sources of the asker may. Raises BadReport and DeadlineExceeded.
    """
    place = spool()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    target: BinaryIO = tempfile.TemporaryFile(dir=place, prefix="stored-")  # noqa: SIM115 - the caller closes it
    try:
        _download(stored, asker.trust, target, deadline)
    except LookupFailure as failure:
        target.close()
        raise BadReport(f"failed to download the crash file: {failure.message}") from None
    except BaseException:
        target.close()
        raise
    return target


def _download(stored: StoredFile, trust: Trust, target: BinaryIO, deadline: Deadline) -> None:
    headers = {} if stored.token is None else {"Authorization": f"Bearer {stored.token}"}
    request = WebRequest(session(trust), stored.url, headers)
    # Nobody but the caller is kept from this server by what it answers: it is never blocked.
    host = Host("", "", exempt=True)
    fetch_file(judged(lambda _: request), _bounded(target), host, deadline)
    target.flush()


def _bounded(target: BinaryIO) -> BinaryIO:
    bounded: object = Bounded(target, FILE_LIMIT)
    return bounded  # type: ignore[return-value]


def _check(url: str, token: str | None) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise BadSchema("$.symbolicate.storage_url: must be an http or https address")
    if token is not None and not (token.isascii() and token.isprintable()):
        raise BadSchema("$.symbolicate.storage_token: must be printable ASCII")
