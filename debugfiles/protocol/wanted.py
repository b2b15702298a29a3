"""What a client wants assembled, and whether that is there already."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from django.db.models import Count, Q

from debugfiles.bundles import text_key
from debugfiles.kinds import SymbolType
from debugfiles.models import ArtifactBundle, DebugFile
from engine.modules import DebugId
from projects.models import Organization, Project

# Clients name a ProGuard mapping so: this UUID, and not one made from its content, is what crashes ask for.
_PROGUARD_NAME: Final = re.compile(r"/?proguard/([0-9A-Fa-f-]{32,36})\.txt")
# What does not hold its own id has the one that it is uploaded with.
_NAMED: Final = frozenset({SymbolType.PROGUARD, SymbolType.BCSYMBOLMAP, SymbolType.UUID_MAP, SymbolType.IL2CPP})


class Kind(StrEnum):
    """What a file becomes once it is assembled."""

    DEBUG_FILE = "debug_file"
    ARTIFACT_BUNDLE = "artifact_bundle"


@dataclass(frozen=True)
class Wanted:
    """A file of this SHA-1 (`checksum`), made of these chunks; `debug_id` is what the client says.

    A debug file is for one project and has a name; an artifact bundle is for one project or more.
    """

    kind: Kind
    organization: Organization
    projects: tuple[Project, ...]
    checksum: str
    chunks: tuple[str, ...]
    name: str = ""
    debug_id: DebugId | None = None
    release: str = ""
    dist: str = ""

    @cached_property
    def key(self) -> bytes:
        """16 bytes that are the same whenever the same is wanted, whatever chunks it is cut into."""
        projects = sorted(project.pk for project in self.projects)
        parts = [self.kind, self.checksum, *projects, self.debug_id or "", self.release, self.dist]
        return text_key("\0".join(str(part) for part in parts))


def debug_id_of(name: str, debug_id: str | None) -> DebugId | None:
    """The debug id that a client gives a file, by its own field or by the name of a ProGuard mapping."""
    named = _PROGUARD_NAME.fullmatch(name)
    return DebugId.parse(named[1] if named else debug_id or "")


def stored_debug_files(wanted: Iterable[Wanted]) -> dict[bytes, DebugFile]:
    """The debug files that are there already, by the keys of those who want them; by one query for a project's."""
    asked = list(wanted)
    projects = {one.projects[0].pk for one in asked}
    checksums = {one.checksum for one in asked}
    rows: dict[str, list[DebugFile]] = {}
    found = DebugFile.objects.filter(project__in=projects, checksum__in=checksums) if asked else []
    for row in found:
        rows.setdefault(row.checksum, []).append(row)
    chosen = ((one.key, choose(one, rows.get(one.checksum, ()))) for one in asked)
    return {key: row for key, row in chosen if row is not None}


def choose(wanted: Wanted, rows: Collection[DebugFile]) -> DebugFile | None:
    """The one of the files of a content that answers the request."""
    ids = wanted.debug_id
    matching = (row for row in rows if ids is None or row.debug_uuid == ids.uuid)
    own = (row for row in rows if row.symbol_type not in _NAMED)
    return next(matching, None) or next(own, None)


def stored_bundle(wanted: Wanted) -> ArtifactBundle | None:
    """The bundle, when every project that it is wanted for has it."""
    rows = ArtifactBundle.objects.filter(organization=wanted.organization, blob__sha1=wanted.checksum)
    ours = Q(projects__in=[project.pk for project in wanted.projects])
    having = rows.filter(release=wanted.release, dist=wanted.dist).annotate(having=Count("projects", filter=ours))
    return having.filter(having=len(wanted.projects)).first()
