"""A port for those who wait for files: they are told in the transaction that stores them.

A listener that defers a job there loses nothing: the job exists if and only if the files do. What a listener raises
undoes the upload, so it does no more than that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from debugfiles.models import ArtifactBundle, ArtifactEntry, DebugFile, ReleaseFile


class ArrivalKind(StrEnum):
    """What came."""

    DEBUG_FILES = "debug_files"
    ARTIFACT_BUNDLE = "artifact_bundle"
    RELEASE_FILE = "release_file"


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows that are new to a project: of DebugFile, or the one ArtifactBundle or ReleaseFile."""

    project_id: int
    kind: ArrivalKind
    row_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArrivedIds:
    """By what a crash would have asked for what came. `release` is empty where only debug ids lead to it."""

    debug_uuids: frozenset[UUID] = frozenset()
    code_ids: frozenset[str] = frozenset()
    release: str = ""
    dist: str = ""


Listener = Callable[[Arrived], None]
_listeners: Final[list[Listener]] = []


def on_arrival(listener: Listener) -> None:
    """Have `listener` called in the transaction of every upload that brings something new. Once per process."""
    if listener not in _listeners:
        _listeners.append(listener)


def forget_listener(listener: Listener) -> None:
    """Call it no more."""
    if listener in _listeners:
        _listeners.remove(listener)


def announce(arrived: Arrived) -> None:
    """Tell everybody; to be called inside the transaction that makes the rows."""
    for listener in tuple(_listeners):
        listener(arrived)


def ids_of(arrived: Arrived) -> ArrivedIds:
    """By what the rows can be asked for, as the database has them now: those that went meanwhile add nothing."""
    match arrived.kind:
        case ArrivalKind.DEBUG_FILES:
            return _of_debug_files(arrived)
        case ArrivalKind.ARTIFACT_BUNDLE:
            return _of_bundle(arrived)
    found = ReleaseFile.objects.filter(project_id=arrived.project_id, pk__in=arrived.row_ids)
    for release, dist in found.values_list("release__version", "dist"):
        return ArrivedIds(release=release, dist=dist)
    return ArrivedIds()


def _of_debug_files(arrived: Arrived) -> ArrivedIds:
    found = DebugFile.objects.filter(project_id=arrived.project_id, pk__in=arrived.row_ids)
    rows = list(found.values_list("debug_uuid", "code_id"))
    return ArrivedIds(
        debug_uuids=frozenset(debug_uuid for debug_uuid, _ in rows if debug_uuid is not None),
        code_ids=frozenset(code_id for _, code_id in rows if code_id),
    )


def _of_bundle(arrived: Arrived) -> ArrivedIds:
    found = ArtifactBundle.objects.filter(projects=arrived.project_id, pk__in=arrived.row_ids).first()
    if found is None:
        return ArrivedIds()
    uuids = ArtifactEntry.objects.filter(bundle=found).values_list("debug_uuid", flat=True).distinct()
    return ArrivedIds(
        debug_uuids=frozenset(uuid for uuid in uuids if uuid is not None), release=found.release, dist=found.dist
    )
