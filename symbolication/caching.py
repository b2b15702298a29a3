"""What this host's cache holds for a project, and removing it.

A project is shown, and may purge, what was fetched for its own organization alone: never the files of others, and
never those of the operator's sources, which all share.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from core.api import ApiError
from core.database import release
from core.text import storable
from engine import caches
from engine.caches import BadSelection, Selection, Usage
from projects import audit
from projects.access import Actor
from projects.models import Organization, Project
from sources.composition import owner_of
from sources.selectors import Place

_MAX_TEXT: Final = 255
_ID_LENGTH: Final = 80
# Reading through a whole cache takes seconds: one at a time in each process.
_scanning = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which files are meant: of one source by its id, or of one module by its debug id or code id; None for all."""

    source: str | None = None
    debug_id: str | None = None


def selected(organization: Organization, project: Project | None, wish: Wish) -> Selection:
    """The organization's files that fit; of a project, those of its own and its organization's sources.

    Raises ApiError for what is no id.
    """
    sources = None if wish.source is None else {_checked("source", wish.source)}
    if sources is None and project is not None:
        sources = _source_ids(organization, project)
    module = "" if wish.debug_id is None else _checked("debug_id", wish.debug_id, _ID_LENGTH)
    try:
        return Selection.of(owner=owner_of(organization.pk), sources=sources, module=module)
    except BadSelection as error:
        raise ApiError(f"debug_id: {error.message}", field="debug_id") from None


def usage(selection: Selection) -> Mapping[str, Usage]:
    """What the cache directory of this host holds of it, by kind. Gives the database connection back first."""
    release()
    with _scanning:
        return caches.usage(Path(settings.CACHE_DIR), selection)


def purge(
    *, organization: Organization, project: Project | None, actor: Actor, selection: Selection, wish: Wish
) -> Usage:
    """Remove it and have every process of this host forget it at once; what was removed. Writes an audit entry."""
    audit.record(
        organization=organization,
        project=project,
        actor=actor,
        action="cache.purged",
        target=wish.debug_id or wish.source or "all",
        data={"source": wish.source, "debug_id": wish.debug_id},
    )
    release()
    with _scanning:
        return caches.purge(Path(settings.CACHE_DIR), selection)


def _source_ids(organization: Organization, project: Project) -> set[str]:
    places = Place(organization, project), Place(organization)
    return {source_id for place in places for source_id in place.sources().values_list("source_id", flat=True)}


def _checked(name: str, text: str, most: int = _MAX_TEXT) -> str:
    if not text or len(text) > most or storable(text) != text:
        raise ApiError(f"{name}: must be a text of 1 to {most} characters", field=name)
    return text
