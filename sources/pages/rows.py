"""What the list of sources shows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.sourcetypes.config import LayoutType
from sources.builtin import CATALOGUE, Builtin, in_order
from sources.composition import compose
from sources.models import SymbolSource
from sources.pages.catalogue import WEB_LAYOUT
from sources.pages.places import Where
from sources.selectors import Place, shown
from sources.statistics import SourceState, states_of
from sources.types import TYPES

_NOTHING: Final = SourceState()


@dataclass(frozen=True, slots=True)
class Row:
    """A source in the list. `trouble`: why no lookup asks it, else empty. `addresses`: None for one kept elsewhere."""

    id: str
    name: str
    type: str
    lies_at: str
    layout: str
    enabled: bool
    trouble: str
    state: SourceState
    imported: bool = False
    addresses: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """All sources that lookups ask, in their order: those kept here, the inherited ones, the built-in ones."""

    own: list[Row]
    inherited: list[Row]
    builtin: list[Row]


def listed(where: Where) -> Listed:
    """The list for a page; for an organization its own sources alone."""
    place, project = where.place, where.place.project
    states = states_of(place)
    rows = list(place.sources())
    if project is None:
        return Listed([_row(row, _trouble(row), states, where) for row in rows], [], [])
    reasons = {item.id: item.reason for item in compose(_Opened(place)).skipped}
    taken = {row.source_id for row in rows}
    inherited = []
    for row in Place(place.organization).sources():
        hidden = "a source of the project has the same id and is asked instead" if row.source_id in taken else ""
        inherited.append(_row(row, hidden or reasons.get(row.source_id, ""), {} if hidden else states, None))
    return Listed(
        [_row(row, reasons.get(row.source_id, ""), states, where) for row in rows],
        inherited,
        [_builtin(CATALOGUE[key], states) for key in in_order(project.builtin_sources)],
    )


class _Opened:
    """A project as compositions look at it."""

    def __init__(self, place: Place) -> None:
        if place.project is None:
            raise ValueError("an organization's sources are composed for none of its projects")
        self.organization, self.project = place.organization, place.project


def lies_at(row: SymbolSource) -> str:
    """Where the files of a source lie, in a few words: an address, a bucket, an app."""
    fields = shown(row)
    for name in ("url", "bucket"):
        if isinstance(fields.get(name), str):
            return f"{fields[name]}{_below(fields)}" if name == "bucket" else str(fields[name])
    return " ".join(str(fields[name]) for name in ("appName", "appId") if isinstance(fields.get(name), str))


def _below(fields: Mapping[str, Any]) -> str:
    prefix = fields.get("prefix")
    return f"/{prefix.strip('/')}" if isinstance(prefix, str) and prefix.strip("/") else ""


def _row(row: SymbolSource, trouble: str, states: Mapping[str, SourceState], where: Where | None) -> Row:
    kind = TYPES.get(row.type)
    imported = kind is not None and kind.engine_config is None
    return Row(
        id=row.source_id,
        name=row.name or lies_at(row) or row.source_id,
        type=kind.label if kind else row.type,
        lies_at=lies_at(row),
        layout=_layout(row),
        enabled=row.enabled,
        trouble="" if imported and kind and not kind.missing(row.fields) and row.enabled else trouble,
        state=states.get(row.source_id, _NOTHING),
        imported=imported,
        addresses=_addresses(row, where) if where else None,
    )


def _addresses(row: SymbolSource, where: Where) -> dict[str, str]:
    return {name: where.address(name, row.pk) for name in ("edit", "test", "delete", "move", "switch")}


def _trouble(row: SymbolSource) -> str:
    kind = TYPES.get(row.type)
    if kind is None:
        return "its type is not known to this version"
    lacking = kind.missing(row.fields)
    if lacking:
        return f"it is not configured: {', '.join(lacking)} is missing"
    return "" if row.enabled else "it is switched off"


def _layout(row: SymbolSource) -> str:
    layout = row.fields.get("layout")
    if not isinstance(layout, Mapping):
        return ""
    casing = layout.get("casing", "default")
    return str(layout.get("type", "")) + (f", {casing}" if casing != "default" else "")


def _builtin(entry: Builtin, states: Mapping[str, SourceState]) -> Row:
    return Row(
        id=entry.id,
        name=entry.name,
        type=WEB_LAYOUT,
        lies_at=entry.url,
        layout=LayoutType(entry.layout).value,
        enabled=True,
        trouble="",
        state=states.get(entry.id, _NOTHING),
    )
