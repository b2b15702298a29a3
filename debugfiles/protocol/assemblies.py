"""How far files have come: answered at once, or given to the background.

No answer is ever `created`: what clients read as "nothing to upload". Once all chunks of a file are there it is `ok`,
`error` or `assembling`, and never `not_found` again while it is being worked on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction

from core.api import ApiError
from core.background import defer
from core.database import shared_now
from debugfiles.models import ArtifactBundle, DebugFile
from debugfiles.protocol.assembling import assemble, assemble_debug_files, check_size
from debugfiles.protocol.chunks import StoredChunk, find_chunks
from debugfiles.protocol.models import Assembly
from debugfiles.protocol.wanted import Kind, Wanted, choose, stored_bundle, stored_debug_files
from projects.access import Actor

NOT_FOUND: Final = "not_found"
ASSEMBLING: Final = "assembling"
OK: Final = "ok"
ERROR: Final = "error"

# A file of so many bytes at most is made while its client waits, as long as the request has not taken longer.
AT_ONCE_BYTES: Final = 8 << 20
AT_ONCE_SECONDS: Final = 3.0
# How long whoever polls learns why it failed; whoever comes later has it tried again.
_FAILURE_SHOWN: Final = timedelta(minutes=1)
_UNFINISHED: Final = (Assembly.WAITING, Assembly.RUNNING)
_HTTP_RETRY: Final = 500
# Debug files that are stored in one transaction.
_TOGETHER: Final = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a file has come: `missing` are chunks to upload, `detail` says what is wrong with it."""

    state: str
    missing: tuple[str, ...] = ()
    detail: str | None = None
    file: DebugFile | None = None


def advance(wanted: Sequence[Wanted], actor: Actor) -> list[Outcome]:
    """Bring each file as far as it can be brought within a few seconds; all are of one organization and kind.

    What takes longer goes on in the background. Raises ApiError (503) and BlobError when clients should try again.
    """
    if not wanted:
        return []
    known = _known(wanted)
    rest = [one for one in wanted if one.key not in known]
    chunks = find_chunks(rest[0].organization, {sha1 for one in rest for sha1 in one.chunks}) if rest else {}
    judged = {one.key: _judged(one, chunks) for one in rest}
    small = [one for one in rest if judged[one.key] is True]
    made = _made_at_once(small, actor, chunks)
    outcomes = known | {key: end for key, end in judged.items() if isinstance(end, Outcome)} | made
    for one in rest:
        if one.key not in outcomes:
            start(one, actor)
    return [outcomes.get(one.key, Outcome(ASSEMBLING)) for one in wanted]


def start(wanted: Wanted, actor: Actor) -> None:
    """Have a file assembled in the background, unless that is under way."""
    values = {
        "kind": wanted.kind.value,
        "checksum": wanted.checksum,
        "chunks": list(wanted.chunks),
        "project_ids": [project.pk for project in wanted.projects],
        "name": wanted.name,
        "debug_id": "" if wanted.debug_id is None else str(wanted.debug_id),
        "release": wanted.release,
        "dist": wanted.dist,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
        "token_prefix": actor.token_prefix,
        "state": Assembly.WAITING,
        "attempt": 0,
        "lease_until": None,
        "detail": "",
        "results": [],
        "created_at": shared_now(),
        "finished_at": None,
    }
    rows = Assembly.objects.select_for_update()
    with transaction.atomic():
        row, created = rows.get_or_create(organization=wanted.organization, key=wanted.key, defaults=values)
        if not created and row.state not in _UNFINISHED:
            Assembly.objects.filter(pk=row.pk).update(**values)
        defer_assembly(row.pk)


def defer_assembly(assembly_id: int) -> None:
    """Have a worker look at the row; many hints at once are one."""
    from debugfiles.protocol.tasks import run_assembly

    defer(run_assembly, queueing_lock=f"assembly-{assembly_id}", assembly_id=assembly_id)


def _known(wanted: Sequence[Wanted]) -> dict[bytes, Outcome]:
    """What can be said without a look at any chunk, by key."""
    files = stored_debug_files(one for one in wanted if one.kind is Kind.DEBUG_FILE)
    known = {key: Outcome(OK, file=row) for key, row in files.items()}
    rest = [one for one in wanted if one.key not in known]
    rows = Assembly.objects.filter(organization=wanted[0].organization, key__in=[one.key for one in rest])
    assemblies = {bytes(row.key): row for row in rows} if rest else {}
    for one in rest:
        outcome = _of_assembly(one, assemblies.get(one.key))
        if outcome is not None:
            known[one.key] = outcome
    bundles = (one for one in rest if one.key not in known and one.kind is Kind.ARTIFACT_BUNDLE)
    return known | {one.key: Outcome(OK) for one in bundles if stored_bundle(one) is not None}


def _of_assembly(wanted: Wanted, row: Assembly | None) -> Outcome | None:
    if row is None:
        return None
    if row.state in _UNFINISHED:
        return Outcome(ASSEMBLING)
    if row.state == Assembly.DONE:
        return _of_results(wanted, row.results)
    asked_again = not wanted.chunks or list(wanted.chunks) == row.chunks
    if not asked_again or row.finished_at is None:
        return None
    fresh = row.finished_at > shared_now() - _FAILURE_SHOWN
    return Outcome(ERROR, detail=row.detail) if fresh else None


def _of_results(wanted: Wanted, ids: Iterable[int]) -> Outcome | None:
    """What became of it, unless somebody deleted that since."""
    if wanted.kind is Kind.DEBUG_FILE:
        rows = list(DebugFile.objects.filter(project=wanted.projects[0], pk__in=ids))
        return Outcome(OK, file=choose(wanted, rows) or rows[0]) if rows else None
    having = ArtifactBundle.objects.filter(organization=wanted.organization, pk__in=ids, projects__in=wanted.projects)
    return Outcome(OK) if having.count() == len(wanted.projects) else None


def _judged(wanted: Wanted, chunks: Mapping[str, StoredChunk]) -> Outcome | bool:
    """What is wrong with a file, as far as its chunks tell; whether it is small where nothing is."""
    missing = tuple(dict.fromkeys(sha1 for sha1 in wanted.chunks if sha1 not in chunks))
    if missing or not wanted.chunks:
        return Outcome(NOT_FOUND, missing)
    try:
        return check_size([chunks[sha1] for sha1 in wanted.chunks]) <= AT_ONCE_BYTES
    except ApiError as error:
        return Outcome(ERROR, detail=error.message)


def _made_at_once(wanted: Sequence[Wanted], actor: Actor, chunks: Mapping[str, StoredChunk]) -> dict[bytes, Outcome]:
    """What became of small files, as many of them as the request's time allows."""
    until, outcomes = time.monotonic() + AT_ONCE_SECONDS, dict[bytes, Outcome]()
    for some in _groups(wanted, chunks):
        if time.monotonic() >= until:
            break
        outcomes |= zip((one.key for one in some), _made(some, actor, chunks), strict=True)
    return outcomes


def _groups(wanted: Sequence[Wanted], chunks: Mapping[str, StoredChunk]) -> Iterator[list[Wanted]]:
    """Files that are made together: debug files, as many of them as have the bytes of one."""
    group: list[Wanted] = []
    left = AT_ONCE_BYTES
    for one in wanted:
        size = sum(chunks[sha1].size for sha1 in one.chunks)
        if group and (size > left or len(group) == _TOGETHER or one.kind is not Kind.DEBUG_FILE):
            yield group
            group, left = [], AT_ONCE_BYTES
        group.append(one)
        left -= size
    if group:
        yield group


def _made(wanted: Sequence[Wanted], actor: Actor, chunks: Mapping[str, StoredChunk]) -> list[Outcome]:
    if wanted[0].kind is Kind.DEBUG_FILE:
        ends = assemble_debug_files(wanted, actor, chunks)
        return [
            Outcome(ERROR, detail=end.message) if isinstance(end, ApiError) else Outcome(OK, file=end) for end in ends
        ]
    return [_made_bundle(one, actor) for one in wanted]


def _made_bundle(wanted: Wanted, actor: Actor) -> Outcome:
    try:
        assemble(wanted, actor)
    except ApiError as error:
        if error.status >= _HTTP_RETRY:
            raise
        return Outcome(ERROR, detail=error.message)
    return Outcome(OK)
