"""The tabs above a page. Rooms register theirs when they are ready, so that nobody needs to know them all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from projects.access import OrganizationAccess, ProjectAccess


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of every project's pages, or with `whole` of every organization's.

    `view` names the view it leads to; `scopes` are those of which one suffices to open it; `place` orders them.
    """

    name: str
    view: str
    scopes: Collection[str]
    place: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ShownTab:
    """A tab as it is shown; `here`: the page is this one, or one below it."""

    name: str
    address: str
    here: bool


_tabs: Final[dict[str, Tab]] = {}


def register_tab(tab: Tab) -> None:
    """Show a tab from now on. Once per process; a view has one tab."""
    _tabs[tab.view] = tab


def tabs_for(request: HttpRequest, access: OrganizationAccess | ProjectAccess) -> list[ShownTab]:
    """Those that whoever looks may open."""
    project = access.project if isinstance(access, ProjectAccess) else None
    slugs = [access.organization.slug] if project is None else [access.organization.slug, project.slug]
    chosen = [tab for tab in _tabs.values() if tab.whole is (project is None) and access.scopes & set(tab.scopes)]
    shown = [(tab.name, reverse(tab.view, args=slugs)) for tab in sorted(chosen, key=lambda tab: tab.place)]
    longest = max((address for _, address in shown if request.path.startswith(address)), key=len, default="")
    return [ShownTab(name, address, address == longest) for name, address in shown]
