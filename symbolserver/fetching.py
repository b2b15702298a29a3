"""Files of other symbol servers: asked for through the engine's lookup, kept in its caches, a few at a time.

A request here waits for other servers as a symbolication does, but takes none of its slots: a bound of its own leaves
threads for everything else.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from django.conf import settings

from core.database import release
from debugfiles.composing import project_sources
from debugfiles.providers import SOURCE_ID, project_files
from engine.errors import SymbolsvcError
from engine.formats.bytewise import FormatError, mapped
from engine.formats.source_bundle import SourceBundle
from engine.lookup.answer import Try
from engine.lookup.object_files import FetchedObject, ObjectAnswer, Rank, any_object, find_object
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source
from projects.access import SYSTEM, ProjectAccess
from projects.models import Project
from sources.lookups import lookup_store
from symbolserver import contents
from symbolserver.answers import Content
from symbolserver.readings import Reading, SourceAsked

SCOPE: Final = "global"
SECONDS: Final = 900.0
# Of the threads of a process, one in so many may wait here.
_SHARE: Final = 8

# Texts that belong to debug files and are of use to symbolication alone: only uploaded ones are served.
_MAPS: Final = frozenset({FileType.UUID_MAP, FileType.BCSYMBOLMAP, FileType.IL2CPP, FileType.PROGUARD})
_places: Final = threading.BoundedSemaphore(max(settings.ENVIRONMENT["WEB_THREADS"] // _SHARE, 1))


class Busy(SymbolsvcError):
    """As many requests as may wait for other servers do."""

    code = "busy"


class Absent(SymbolsvcError):
    """Whoever could have the file says that there is none."""

    code = "absent"

    def __init__(self) -> None:
        super().__init__("there is no such file")


class SourceFailed(SymbolsvcError):
    """No source has the file, and at least one could not be asked. The message is why, without a secret."""

    code = "source_failed"


def fetch(
    wanted: Wanted, sources: Sequence[Source], file_types: Sequence[FileType], rank: Rank = any_object
) -> Content:
    """A module's file from these sources. Raises Absent, Busy, SourceFailed and DeadlineExceeded."""
    found = _found(_asked(wanted, sources, file_types, rank))
    return contents.fetched(found, wanted.code_file or wanted.debug_file or "file")


def fetch_for(project: Project, readings: Sequence[Reading]) -> Content:
    """What a project's symbol sources have for a path that is read so. Raises as `fetch`."""
    sources = _stored_sources(project)
    failed: SourceFailed | None = None
    for reading in readings:
        objects = tuple(kind for kind in reading.file_types if kind not in _MAPS)
        try:
            if objects and reading.wanted is not None and sources:
                return fetch(reading.wanted, sources, objects)
        except Absent:
            continue
        except SourceFailed as failure:
            failed = failed or failure
    raise failed or Absent


def fetch_source(project: Project, asked: SourceAsked, *, ask_sources: bool) -> Content:
    """A source file out of the bundles of an ELF file. Raises as `fetch`, and Absent without such a file."""
    own = project_files(_access(project))
    release()
    sources = (own, *(_stored_sources(project) if ask_sources else ()))
    reading = asked.bundle
    wanted = Wanted(reading.module, reading.code_id, None, next(iter(reading.debug_ids), None))
    bundle = _found(_asked(wanted, sources, reading.file_types, _has_sources))
    content = _source_file(bundle, asked.path)
    return contents.text(content, asked.path.rpartition("/")[2], datetime.fromtimestamp(bundle.fetched, UTC))


def _has_sources(attempt: Try) -> int | None:
    return 0 if attempt.features.has_sources else None


def _asked(wanted: Wanted, sources: Sequence[Source], file_types: Sequence[FileType], rank: Rank) -> ObjectAnswer:
    with _a_place():
        deadline = Deadline.after(SECONDS)
        return find_object(wanted, sources, file_types, scope=SCOPE, store=lookup_store(), deadline=deadline, rank=rank)


def _found(answer: ObjectAnswer) -> FetchedObject:
    if answer.found is None:
        raise SourceFailed(answer.failure) if answer.failure else Absent
    return answer.found


def _source_file(bundle: FetchedObject, path: str) -> bytes:
    """The text of a source file. Its path came as part of an address: without a leading slash, perhaps tidied up."""
    try:
        with open(bundle.path, "rb") as file:
            opened = SourceBundle(mapped(file))
        for form in dict.fromkeys((f"/{path}", posixpath.normpath(f"/{path}"), path, posixpath.normpath(path))):
            found = opened.find(form)
            if found is not None and found.content is not None:
                return found.content
    except FormatError:
        raise SourceFailed("malformed: the source bundle cannot be read") from None
    raise Absent


def _stored_sources(project: Project) -> tuple[Source, ...]:
    """The project's symbol sources; its own files are not among them, having been looked at already."""
    try:
        opened = project_sources(_access(project))
    finally:
        release()
    return tuple(source for source in opened.sources if source.id != SOURCE_ID)


def _access(project: Project) -> ProjectAccess:
    return ProjectAccess(project.organization, project, SYSTEM, frozenset())


@contextmanager
def _a_place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise Busy("too many requests wait for other symbol servers")
    try:
        yield
    finally:
        _places.release()
