"""What projects hold of uploads: three kinds of rows that look alike from here, and how they go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model, Q, QuerySet, Sum
from django.utils import timezone

from debugfiles.models import ArtifactBundle, Blob, DebugFile, ReleaseFile
from debugfiles.recording import count_change, record
from projects.access import Actor
from projects.models import Project

_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows with a `project`. `thing` leads to what they hold, where that is another row that projects share."""

    name: str
    model: type[Model]
    thing: str
    label: str

    def column(self, name: str) -> str:
        """A column of what is held."""
        return f"{self.thing}__{name}" if self.thing else name

    def rows(self, *conditions: Q) -> QuerySet[Any]:
        """The rows that meet the conditions, without an order."""
        return self.model._default_manager.filter(*conditions).order_by()

    def unused_since(self, moment: datetime) -> Q:
        """What was last used before `moment`."""
        return Q(**{f"{self.column('last_used')}__lt": moment})

    def locked(self, *conditions: Q) -> list[Held]:
        """Those rows, locked; those that somebody else holds are left out. Inside a transaction."""
        related = (self.thing,) if self.thing else ()
        rows = self.rows(*conditions).select_related(*related) if related else self.rows(*conditions)
        found = rows.select_for_update(of=("self", *related), skip_locked=True)
        return [self._held(row) for row in found]

    def _held(self, row: Any) -> Held:
        thing = getattr(row, self.thing) if self.thing else row
        return Held(self, row.pk, thing.blob_id, thing.last_used, str(getattr(thing, self.label)))


@dataclass(frozen=True, slots=True)
class Held:
    """One row of a kind: the content that it refers to, when it was last used, and its name for people."""

    kind: Kind
    pk: int
    blob_id: int
    last_used: datetime
    name: str


DEBUG_FILES: Final = Kind("debug_file", DebugFile, "", "object_name")
RELEASE_FILES: Final = Kind("release_file", ReleaseFile, "", "name")
BUNDLES: Final = Kind("artifact_bundle", ArtifactBundle.projects.through, "artifactbundle", "name")
KINDS: Final = (DEBUG_FILES, BUNDLES, RELEASE_FILES)


def used_bytes(project: Project) -> int:
    """What the project's uploads take: every content once, also where other projects have it too."""
    parts = [kind.rows(Q(project=project)).values_list(kind.column("blob_id"), flat=True) for kind in KINDS]
    held = Blob.objects.filter(pk__in=parts[0].union(*parts[1:]))
    return int(held.aggregate(total=Sum("size"))["total"] or 0)


def holds(project: Project, sha256: str) -> bool:
    """Whether something of the project refers to this content already."""
    return any(kind.rows(Q(project=project, **{kind.column("blob__sha256"): sha256})).exists() for kind in KINDS)


def remove(project: Project, actor: Actor, kind: Kind, things: Sequence[Held], verb: str) -> None:
    """Delete locked rows of a project, with one audit entry; their contents go a day later.

    Inside a transaction, and last in it where there are debug files among them.
    """
    kind.rows(Q(pk__in=[thing.pk for thing in things])).delete()
    if kind is BUNDLES:
        _drop_ownerless([thing.blob_id for thing in things])
    # Whoever is reading one of them now goes on for as long as an upload may take to refer to it.
    Blob.objects.filter(pk__in={thing.blob_id for thing in things}).update(last_used=timezone.now())
    names = [thing.name for thing in things[:_SHOWN]]
    target = names[0] if len(things) == 1 else f"{len(things)} files"
    record(f"{kind.name}.{verb}", project, actor, target, {"count": len(things), "names": names})
    if kind is DEBUG_FILES:
        count_change(project)


def _drop_ownerless(blob_ids: Collection[int]) -> None:
    ArtifactBundle.objects.filter(blob__in=blob_ids, projects=None).delete()
