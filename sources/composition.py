"""The sources that a lookup for a project asks: the project's own, the organization's, the chosen built-in ones.

The composed configurations hold secrets in clear (their repr does not). They are kept in this process for as long as
neither the project's nor the organization's sources change: both rows count their changes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import msgspec
from django.db.models import F, Q

from core.encryption import EncryptionError
from engine.errors import SymbolsvcError
from engine.sourcetypes.config import SourceConfig, decode_sources
from projects.models import Organization, Project
from sources.builtin import CATALOGUE, in_order
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from sources.types import TYPES, Plain

BUILTIN_OWNER: Final = "builtin"
CACHED_COMPOSITIONS: Final = 256

logger = logging.getLogger(__name__)


class Opened(Protocol):
    """A project that somebody opened (by token or session), with the organization it belongs to."""

    @property
    def organization(self) -> Organization: ...

    @property
    def project(self) -> Project: ...


@dataclass(frozen=True, slots=True)
class ComposedSource:
    """A source that is ready to be opened by the engine. `owner` keeps the caches of organizations apart."""

    id: str
    name: str
    owner: str
    config: SourceConfig


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stored source that no lookup asks, and why, for people."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Composition:
    """What a lookup asks, best first, and what it does not ask."""

    sources: tuple[ComposedSource, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """All that a composition depends on."""

    project_id: int
    project_revision: int
    organization_id: int
    organization_revision: int
    builtin: tuple[str, ...]


class _Unusable(SymbolsvcError):
    """A stored source that cannot be asked."""

    code = "unusable_source"


def compose(opened: Opened) -> Composition:
    """The sources of a project, at the state that `opened` was read with. One query at most; none when nothing changed.

    A source that cannot be used (its secret cannot be decrypted, it was damaged, it is only imported) is skipped alone.
    """
    project, organization = opened.project, opened.organization
    return _composed(
        _State(
            project_id=project.pk,
            project_revision=project.sources_revision,
            organization_id=organization.pk,
            organization_revision=organization.sources_revision,
            builtin=tuple(project.builtin_sources),
        )
    )


def forget() -> None:
    """Drop every composition that this process keeps."""
    _composed.cache_clear()


def owner_of(organization_id: int) -> str:
    """The owner under which an organization's files are cached."""
    return f"organization:{organization_id}"


@lru_cache(maxsize=CACHED_COMPOSITIONS)
def _composed(state: _State) -> Composition:
    sources: list[ComposedSource] = []
    skipped: list[Skipped] = []
    for row in _first_of_each_id(_rows(state)):
        try:
            config = _config(row)
        except SymbolsvcError as error:
            _log(row, error)
            skipped.append(Skipped(row.source_id, row.name, error.message))
        else:
            sources.append(ComposedSource(row.source_id, row.name, owner_of(row.organization_id), config))
    return Composition((*sources, *_builtin(state.builtin)), (*skipped, *_unknown(state.builtin)))


def _rows(state: _State) -> Iterable[SymbolSource]:
    own = Q(project_id=state.project_id) | Q(project=None)
    rows = SymbolSource.objects.filter(own, organization_id=state.organization_id)
    return rows.order_by(F("project_id").asc(nulls_last=True), "position")


def _first_of_each_id(rows: Iterable[SymbolSource]) -> Iterator[SymbolSource]:
    seen: set[str] = set()
    for row in rows:
        if row.source_id not in seen:
            seen.add(row.source_id)
            yield row


def _config(row: SymbolSource) -> SourceConfig:
    """Raises EncryptionError, BadSource or _Unusable."""
    if not row.enabled:
        raise _Unusable("it is switched off")
    kind = TYPES.get(row.type)
    if kind is None:
        raise _Unusable("its type is not known to this version")
    if kind.engine_config is None:
        lacking = kind.missing(row.fields)
        more = f"; it is not configured: {', '.join(lacking)} is missing" if lacking else ""
        raise _Unusable(f"files are imported from it, it is not looked up{more}")
    secrets = reveal_secrets(row)
    try:
        built = kind.engine_config(Plain(row.source_id, row.fields, secrets))
    except (KeyError, TypeError, ValueError, AttributeError):
        built = None
    if built is None:
        raise _Unusable("what is stored for it is damaged: save it again")
    # The engine's own reading has the last word on whether it can be opened.
    return decode_sources([msgspec.to_builtins(built)], operator=False)[0]


def _log(row: SymbolSource, error: SymbolsvcError) -> None:
    level = logging.INFO if isinstance(error, _Unusable) else logging.WARNING
    level = logging.ERROR if isinstance(error, EncryptionError) else level
    logger.log(level, "symbol source %r of organization %d is skipped: %s", row.source_id, row.organization_id, error)


def _builtin(keys: Iterable[str]) -> Iterator[ComposedSource]:
    for key in in_order(keys):
        entry = CATALOGUE[key]
        yield ComposedSource(entry.id, entry.name, BUILTIN_OWNER, entry.config())


def _unknown(keys: Iterable[str]) -> Iterator[Skipped]:
    for key in keys:
        if key not in CATALOGUE:
            yield Skipped(key, key, "it is not in the catalogue of built-in sources any more")
