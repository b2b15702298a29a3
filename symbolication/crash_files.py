"""A crash file and what is said about it: in the parts of a form, or in JSON that says where the file lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from core.wire.multipart import MultipartLimits
from core.wire.multipart_form import Form, SpooledFile, named, read_multipart
from engine.decoding import BadJson, BadSchema, decode_body
from engine.native.wire import Options, Scraping
from engine.run.report_wire import ReportOptions, decode_rewrite
from symbolication.rejections import Refused

FILE_LIMIT: Final[int] = settings.ENVIRONMENT["CRASH_FILE_BODY_MAX_BYTES"]
FIELD_LIMIT: Final = 1024 * 1024
# As many crash files as may be in flight would fill most disks, on which a database may lie too.
SPARE: Final = 512 * 1024 * 1024
SPOOL: Final = "spool"
_COMMON: Final = frozenset({"sources", "scraping", "options", "platform"})
_FORM_IN_FORM: Final = b"--"
_NULL: Final = b"null"

Decoded = TypeVar("Decoded")
_options: Final = msgspec.json.Decoder(Options | None)
_scraping: Final = msgspec.json.Decoder(Scraping | None)
_platform: Final = msgspec.json.Decoder(str | None)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of crash file: the part it comes in, what is said without it, and the fields beside it."""

    part: str
    missing: str
    fields: frozenset[str] = _COMMON


MINIDUMP: Final = Kind("upload_file_minidump", "missing minidump", _COMMON | {"rewrite_first_module"})
APPLE: Final = Kind("apple_crash_report", "missing apple crash report")


@dataclass(frozen=True, slots=True)
class Told:
    """What a request says about its crash file; `sources` is raw JSON, None when absent or null."""

    sources: msgspec.Raw | None
    options: ReportOptions


def spool() -> Path:
    """Where files wait for their turn, without a name."""
    return Path(settings.CACHE_DIR) / SPOOL


def read_form(request: HttpRequest | Request, kind: Kind) -> Form:
    """The form that holds a crash file. Raises BodyError, and Refused for a form without the file or with two."""
    limits = MultipartLimits(body=FILE_LIMIT, field=FIELD_LIMIT, spare=SPARE)
    form = read_multipart(request, limits=limits, keep=named(fields=kind.fields, files=[kind.part]), spool=spool())
    try:
        _check(form, kind)
    except BaseException:
        form.close()
        raise
    return form


def told_by_form(form: Form) -> Told:
    """What the fields of a form say. Raises Refused (400), which names the field."""
    given = {one.head.name: one.data for one in form.fields}

    def read(name: str, decode: Callable[[bytes], Decoded]) -> Decoded:
        try:
            return decode(given.get(name, _NULL))
        except (BadJson, BadSchema) as error:
            raise Refused(400, f"{name}: {error.message}") from None

    options = read("options", lambda text: decode_body(_options, text)) or Options()
    return Told(
        present(msgspec.Raw(given.get("sources", _NULL))),
        ReportOptions(
            dif_candidates=options.dif_candidates is True,
            scraping=read("scraping", lambda text: decode_body(_scraping, text)),
            rewrite_first_module=read("rewrite_first_module", decode_rewrite),
            platform=read("platform", lambda text: decode_body(_platform, text)),
        ),
    )


def present(raw: msgspec.Raw) -> msgspec.Raw | None:
    """Raw JSON, None for `null`."""
    return None if bytes(raw).strip() == _NULL else raw


def _check(form: Form, kind: Kind) -> None:
    repeated = form.repeated()
    if repeated is not None:
        raise Refused(400, f"{repeated}: given more than once")
    if not form.files:
        raise Refused(400, kind.missing)
    if kind is MINIDUMP and _begins(form.files[0], _FORM_IN_FORM):
        raise Refused(400, "minidump contains multipart form data")


def _begins(spooled: SpooledFile, text: bytes) -> bool:
    head = spooled.file.read(len(text))
    spooled.file.seek(0)
    return head == text
