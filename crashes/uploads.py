"""Symbols, source maps and mappings: the formats of uploads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from crashes.addresses import Address, is_reserved
from crashes.admission import Sender
from crashes.answers import accepted, malformed
from crashes.receiving import Bounds, ReceivedFile, Submission, base_name, named, received
from debugfiles import taking
from debugfiles.identify import Upload
from debugfiles.receiving import max_upload_bytes
from debugfiles.records.services import UploadFacts, outcomes_of, record_upload
from debugfiles.services import store_debug_file
from debugfiles.taking import Outcome
from debugfiles.taking.source_maps import symbolication_uuid
from engine.modules import DebugId

# Breakpad's tool calls it by the second name.
_MAIN: Final = ("upload_file", "symbol_file")
_DEFAULT_TAG: Final = "anon"
_SYMBOLICATION_ID: Final = "symbolication_id"

Take = Callable[[Sender, Upload, str], Outcome]


def take_symbols(request: HttpRequest, address: Address, sender: Sender) -> HttpResponse:
    """Debug files: one, or an archive."""

    def take(sender: Sender, upload: Upload, _symbolication_id: str) -> Outcome:
        return taking.take_symbols(project=sender.project, actor=sender.actor, upload=upload)

    return _taken(request, address, sender, take)


def take_source_maps(request: HttpRequest, address: Address, sender: Sender) -> HttpResponse:
    """Source maps and scripts: one, or an archive."""

    def take(sender: Sender, upload: Upload, symbolication_id: str) -> Outcome:
        return taking.take_source_maps(
            project=sender.project, actor=sender.actor, upload=upload, symbolication_id=symbolication_id
        )

    return _taken(request, address, sender, take)


def take_proguard(request: HttpRequest, address: Address, sender: Sender) -> HttpResponse:
    """A ProGuard mapping, found by the `symbolication_id` that comes with it, else by the id of its content."""
    return _taken(request, address, sender, _proguard)


def _proguard(sender: Sender, upload: Upload, symbolication_id: str) -> Outcome:
    named = symbolication_uuid(symbolication_id) if symbolication_id else None
    outcome = Outcome()
    known = Upload(upload.incoming, upload.name or "mapping.txt", None if named is None else DebugId(named.uuid))
    rows = store_debug_file(project=sender.project, actor=sender.actor, upload=known)
    if any(row.symbol_type != "proguard" for row in rows):
        raise malformed("the file is not a ProGuard mapping; it was stored as what it is")
    outcome.take(known.name, [row.debug_id for row in rows], rows)
    return outcome


def _taken(request: HttpRequest, address: Address, sender: Sender, take: Take) -> HttpResponse:
    with received(request, is_file=named(_MAIN), bounds=Bounds(max_upload_bytes())) as came:
        if not came.files:
            raise malformed(f"the form has no part {' or '.join(_MAIN)}")
        answers = [_one(address, sender, came, file, take) for file in came.files]
    rxid, files = answers[0][0], [shown for _, shown in answers]
    return accepted(rxid, {"uploads": files})


def _one(
    address: Address, sender: Sender, came: Submission, file: ReceivedFile, take: Take
) -> tuple[str, dict[str, Any]]:
    values = address.values | came.fields
    name = file.filename or base_name(address.value("upload_file")) or _last(values, "debug_file")
    outcome = take(sender, Upload(file.incoming, name), _last(values, _SYMBOLICATION_ID))
    facts = UploadFacts(
        format=address.format,
        name=name,
        size=file.incoming.size,
        tag=_last(values, "tag") or _DEFAULT_TAG,
        values={key: given[-1] for key, given in values.items() if not is_reserved(key)},
    )
    record = record_upload(project=sender.project, actor=sender.actor, facts=facts, outcome=outcome)
    counts = {"taken_count": outcome.taken_count, "refused_count": outcome.refused_count}
    problem = {"problem": outcome.problem} if outcome.problem else {}
    return record.rxid, {"_rxid": record.rxid, "name": name, **counts, **outcomes_of(outcome), **problem}


def _last(values: dict[str, list[str]], name: str) -> str:
    return (values.get(name) or [""])[-1]
