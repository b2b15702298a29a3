"""The protocol of Breakpad's `sym_upload` in its second version: ask, create, put, complete.

An upload's key is signed and says who may use it, so nothing is kept between the requests; a file takes effect with
its PUT. The last request brings the file's name, in a body that is no valid JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import orjson
from django.core import signing
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.text import storable
from core.wire.body import read_body
from crashes.addresses import read_address
from crashes.admission import Sender, admit
from crashes.answers import Refusal, invalid_token, malformed
from crashes.formats import SYMBOL_POST
from crashes.receiving import Bounds, base_name, named, received
from crashes.router import answering
from debugfiles import taking
from debugfiles.identify import Upload
from debugfiles.models import DebugFile
from debugfiles.receiving import max_upload_bytes
from debugfiles.records.services import UploadFacts, name_debug_files, record_upload
from engine.modules import DebugId
from projects.access import Actor
from projects.models import ApiToken, Project
from projects.slugs import parse_ref

_SALT: Final = "crashes.sym_upload.2"
_PUT_WITHIN: Final = timedelta(hours=12)
_COMPLETE_WITHIN: Final = timedelta(days=2)
_BODY_BYTES: Final = 64 << 10
_FIELD: Final = r'["\']?{name}["\']?\s*:\s*"((?:[^"\\]|\\.)*)"'
_WITH_SYMBOLS: Final = Q(symbol_type__in=("breakpad", "pdb", "portablepdb", "proguard")) | Q(
    features__contains=["debug"]
)


@dataclass(frozen=True, slots=True)
class UploadKey:
    """Whose upload it is, and the latest file that there was when it began.

    A number and no time: another host may take the file, by another clock.
    """

    token_id: int
    project_id: int
    latest: int


@answering
def check_status(request: HttpRequest, file: str, identifier: str, **place: str) -> HttpResponse:
    """Whether symbols with this id are there already. The file's name tells nothing that the id does not."""
    _demand(request, "GET")
    sender = _sender(request, place)
    found = _with_id(sender.project, identifier).filter(_WITH_SYMBOLS).exists()
    return _json({"status": "FOUND" if found else "MISSING"})


@answering
def create(request: HttpRequest, **place: str) -> HttpResponse:
    """A key for one upload, and the address that its file goes to."""
    _demand(request, "POST")
    sender = _sender(request, place)
    key = signing.dumps([sender.actor.token_id, sender.project.pk, _latest()], salt=_SALT)
    base = request.path.removesuffix("uploads:create")
    return _json({"uploadUrl": request.build_absolute_uri(f"{base}uploads/{key}"), "uploadKey": key})


@answering
def put(request: HttpRequest, upload_key: str, **_place: str) -> HttpResponse:
    """The file itself. The address is all that it needs: whoever has it has the key."""
    _demand(request, "PUT")
    key = _read_key(upload_key, _PUT_WITHIN)
    project, actor = _owner(key)
    with received(request, is_file=named(()), bounds=Bounds(max_upload_bytes()), form=False) as came:
        upload = Upload(came.files[0].incoming, "")
        outcome = taking.take_symbols(project=project, actor=actor, upload=upload)
        facts = UploadFacts("sym_upload", "", upload.incoming.size)
    record_upload(project=project, actor=actor, facts=facts, outcome=outcome)
    return _json({})


@answering
def complete(request: HttpRequest, upload_key: str, **place: str) -> HttpResponse:
    """The end of an upload: gives the file its name, and says whether it had been there before."""
    _demand(request, "POST")
    sender = _sender(request, place)
    key = _read_key(upload_key, _COMPLETE_WITHIN)
    if (key.token_id, key.project_id) != (sender.actor.token_id, sender.project.pk):
        raise invalid_token("invalid upload key")
    name, identifier = _symbol_id(read_body(request, limit=_BODY_BYTES))
    found = _with_id(sender.project, identifier)
    if not found.exists():
        raise malformed(f"no file with the debug id {identifier[:64]} was uploaded")
    fresh = found.filter(pk__gt=key.latest)
    if not fresh.exists():
        return _json({"result": "DUPLICATE_DATA"})
    name_debug_files(project=sender.project, files=fresh, name=base_name(name))
    return _json({"result": "OK"})


def _demand(request: HttpRequest, method: str) -> None:
    if request.method != method:
        raise Refusal(405, malformed("").number, f"this address takes {method}")


def _sender(request: HttpRequest, place: dict[str, str]) -> Sender:
    """Who sends, by the token in `key`. Raises Refusal, also when the address names another project."""
    address = read_address(request, (), place.get("organization", ""), request.GET.get("key", ""), "")
    named = place.get("project")
    sender = admit(address if named is None else replace(address, project=named), SYMBOL_POST)
    if named is not None and parse_ref(named) not in (sender.project.pk, sender.project.slug):
        raise invalid_token("invalid token: it is bound to another project")
    return sender


def _with_id(project: Project, identifier: str) -> QuerySet[DebugFile]:
    debug_id = DebugId.parse(identifier)
    if debug_id is None:
        raise malformed("the debug id is not valid")
    return DebugFile.objects.filter(project=project, debug_uuid=debug_id.uuid, debug_appendix=debug_id.appendix)


def _read_key(text: str, within: timedelta) -> UploadKey:
    try:
        token_id, project_id, latest = signing.loads(text, salt=_SALT, max_age=within)
    except signing.BadSignature:
        raise invalid_token("invalid upload key") from None
    return UploadKey(token_id, project_id, latest)


def _latest() -> int:
    return DebugFile.objects.aggregate(latest=Max("pk"))["latest"] or 0


def _owner(key: UploadKey) -> tuple[Project, Actor]:
    """The project and the token of a key, as long as the token may still be used."""
    token = ApiToken.objects.filter(pk=key.token_id, revoked_at=None).first()
    project = Project.objects.select_related("organization").filter(pk=key.project_id).first()
    expired = token is not None and token.expires_at is not None and token.expires_at <= timezone.now()
    if token is None or project is None or expired:
        raise invalid_token("invalid upload key")
    return project, Actor("token", token_id=token.pk, token_prefix=token.prefix)


def _symbol_id(body: bytes) -> tuple[str, str]:
    """File name and debug id; the tool writes keys without quotes, so this is not read as JSON."""
    text = storable(body.decode("utf-8", "replace"))
    found = [re.search(_FIELD.format(name=name), text) for name in ("debug_file", "debug_id")]
    if found[0] is None or found[1] is None:
        raise malformed("the body must name debug_file and debug_id")
    return found[0][1].replace("\\\\", "\\"), found[1][1]


def _json(body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), content_type="application/json")
