"""Every write of symbol sources: one transaction, one audit entry.

Each holds the row of the project (or of the organization, for its own sources) from start to end: two writers cannot
both find an id free or a position unused, and the count of changes there rises with every one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from core.api import ApiError, not_found
from projects import audit
from projects.access import Actor
from projects.models import Organization, Project
from sources.models import UNIQUE_IN_ORGANIZATION, UNIQUE_IN_PROJECT, SymbolSource
from sources.secrets import set_secrets
from sources.selectors import Place, find_source, shown
from sources.types import SourceType
from sources.validation import Submitted

MAX_SOURCES: Final = 64


def create_source(*, place: Place, submitted: Submitted, actor: Actor) -> SymbolSource:
    """A new source at the end. Raises ApiError for an id that is taken, or when there are too many."""
    with _writing(place):
        count = place.sources().count()
        if count >= MAX_SOURCES:
            raise ApiError(f"at most {MAX_SOURCES} symbol sources can be kept here", code="too_many")
        highest = place.sources().aggregate(highest=Max("position"))["highest"]
        row = SymbolSource(
            organization=place.organization,
            project=place.project,
            position=0 if highest is None else highest + 1,
        )
        _fill(row, place, submitted)
        row.save(force_insert=True)
        _record("source.created", place, row, actor)
    return row


def replace_source(*, place: Place, source_id: str, submitted: Submitted, actor: Actor) -> SymbolSource:
    """Put `submitted` in the place of the source `source_id`, whose position (and kept secrets) it takes.

    Without an id of its own the source gets a new one. Raises ApiError: unknown source (404), an id that is taken, a
    kept secret that is not stored or would be sent elsewhere.
    """
    with _writing(place):
        row = find_source(place, source_id, lock=True)
        check_kept(row, submitted)
        _fill(row, place, submitted)
        row.revision += 1
        row.save()
        _record("source.changed", place, row, actor)
    return row


def switch_source(*, place: Place, source_id: str, enabled: bool, actor: Actor) -> SymbolSource:
    """Have lookups ask a source, or leave it out for now. Raises ApiError (404) for an unknown one."""
    with _writing(place):
        row = find_source(place, source_id, lock=True)
        row.enabled = enabled
        row.revision += 1
        row.save()
        _record("source.enabled" if enabled else "source.disabled", place, row, actor)
    return row


def order_sources(*, place: Place, source_ids: Sequence[str], actor: Actor) -> None:
    """Put the sources kept here in this order of priority.

    Raises ApiError (409) when these are not the ids of all of them, each once: somebody changed them meanwhile.
    """
    with _writing(place):
        rows = {row.source_id: row for row in place.sources().select_for_update()}
        if len(source_ids) != len(rows) or set(source_ids) != set(rows):
            raise ApiError("the sources have changed meanwhile; look at them again", status=409, code="changed")
        for position, source_id in enumerate(source_ids):
            rows[source_id].position = position
        SymbolSource.objects.bulk_update(rows.values(), ("position",))
        audit.record(
            organization=place.organization,
            project=place.project,
            actor=actor,
            action="source.ordered",
            target=place.project.slug if place.project else place.organization.slug,
            data={"order": list(source_ids)},
        )


def move_source(*, place: Place, source_id: str, steps: int, actor: Actor) -> None:
    """Move a source up (negative `steps`) or down among those kept here, as far as it goes. Raises ApiError."""
    order = list(place.sources().values_list("source_id", flat=True))
    find_source(place, source_id)
    at = order.index(source_id)
    order.insert(max(0, min(at + steps, len(order) - 1)), order.pop(at))
    order_sources(place=place, source_ids=order, actor=actor)


def delete_source(*, place: Place, source_id: str, actor: Actor) -> None:
    """Remove a source. Raises ApiError (404) for an unknown one."""
    with _writing(place):
        row = find_source(place, source_id, lock=True)
        _record("source.deleted", place, row, actor)
        row.delete()


@contextmanager
def _writing(place: Place) -> Iterator[None]:
    """One write: the place is locked and counts it; a clash that the checks did not see is a refusal all the same."""
    try:
        with transaction.atomic():
            _lock(place)
            yield
    except IntegrityError as error:
        clash = str(error)
        if UNIQUE_IN_PROJECT not in clash and UNIQUE_IN_ORGANIZATION not in clash:
            raise
        refusal = ApiError("Duplicate source id", code="duplicate", field="id")
    else:
        return
    raise refusal


def _lock(place: Place) -> None:
    owners = Project.objects if place.project else Organization.objects
    key = place.project.pk if place.project else place.organization.pk
    # Rows that only refer to the owner (an audit entry, a token) need not wait for it.
    held = owners.select_for_update(no_key=True).filter(pk=key)
    if not held.values_list("pk", flat=True):
        raise not_found()
    owners.filter(pk=key).update(sources_revision=F("sources_revision") + 1)


def _fill(row: SymbolSource, place: Place, submitted: Submitted) -> None:
    source_id = str(uuid.uuid4()) if submitted.source_id is None else submitted.source_id
    if place.sources().filter(source_id=source_id).exclude(pk=row.pk).exists():
        raise ApiError(f"Duplicate source id: {source_id}", code="duplicate", field="id")
    row.source_id = source_id
    row.type = submitted.type.name
    row.name = submitted.name
    row.config = submitted.config
    set_secrets(row, submitted.secrets, submitted.kept)


def check_kept(stored: SymbolSource, submitted: Submitted) -> None:
    """A kept secret must be there and go where it went before, or whoever may write could have it sent elsewhere.

    Raises ApiError.
    """
    for name in sorted(submitted.kept):
        if stored.type != submitted.type.name:
            raise ApiError(f"{name}: must be sent again, since the type changes", field=name)
        if stored.secrets is None or name not in stored.fields:
            raise ApiError(f"{name}: no secret is stored that could be kept", field=name)
        if not _same_destination(submitted.type, stored, submitted):
            raise ApiError(f"{name}: must be sent again, since it would be sent to another place", field=name)


def _same_destination(kind: SourceType, stored: SymbolSource, submitted: Submitted) -> bool:
    try:
        return kind.destination(stored.fields) == kind.destination(submitted.config)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        # What is stored is not what was once validated: nobody can tell where its secret went.
        return False


def _record(action: str, place: Place, row: SymbolSource, actor: Actor) -> None:
    audit.record(
        organization=place.organization,
        project=place.project,
        actor=actor,
        action=action,
        target=row.source_id,
        data=shown(row),
    )
