"""The list of sources, their order, and the built-in catalogue."""

from __future__ import annotations

import uuid
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from core.api import ApiError
from core.pages import is_fragment, page, redirect_to
from core.text import storable
from projects.services import update_project
from sources import services
from sources.builtin import in_order
from sources.fields import Problems
from sources.pages.catalogue import offers
from sources.pages.places import Where
from sources.pages.rows import listed
from sources.project_api import BUILTIN

_STEPS: Final = {"up": -1, "down": 1}


def sources(request: HttpRequest, where: Where) -> HttpResponse:
    """What lookups ask, best first, and how each does."""
    values = {"where": where, "listed": listed(where), "addresses": _addresses(where)}
    return page(request, "sources/list.html", values)


def named(request: HttpRequest, where: Where) -> HttpResponse:
    """To the page of the source that lookups call `id`, or its test; to the list where there is none of one's own."""
    view = "test" if request.GET.get("to") == "test" else "edit"
    row = where.place.sources().filter(source_id=storable(request.GET.get("id", ""))).first()
    return redirect_to(request, where.address("list") if row is None else where.address(view, row.pk))


def move(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponse:
    """Move a source up or down. Raises ApiError."""
    steps = _STEPS.get(request.POST.get("to", ""))
    if steps is None:
        raise ApiError("to: up or down", field="to")
    row = where.find(source)
    services.move_source(place=where.place, source_id=row.source_id, steps=steps, actor=where.actor)
    return redirect_to(request, where.address("list"))


def order(request: HttpRequest, where: Where) -> HttpResponse:
    """Put all sources in an order. Raises ApiError (409) when others changed them meanwhile."""
    services.order_sources(place=where.place, source_ids=request.POST.getlist("id"), actor=where.actor)
    return HttpResponse(status=204) if is_fragment(request) else redirect_to(request, where.address("list"))


def switch(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponse:
    """Have lookups ask a source, or leave it out."""
    row = where.find(source)
    enabled = request.POST.get("enabled") == "1"
    services.switch_source(place=where.place, source_id=row.source_id, enabled=enabled, actor=where.actor)
    name = row.name or row.source_id
    messages.success(request, f"{name} is asked again." if enabled else f"{name} is switched off; it keeps its place.")
    return redirect_to(request, where.address("list"))


def builtin(request: HttpRequest, where: Where) -> HttpResponse:
    """The catalogue of public symbol servers, with a switch for each."""
    project = where.place.project
    if project is None:
        raise ApiError("built-in sources are chosen for each project", status=404)
    if request.method == "POST":
        problems = Problems()
        chosen = BUILTIN.kind.clean(request.POST.getlist("builtin"), BUILTIN.name, problems)
        if problems:
            raise ApiError(str(problems), field=BUILTIN.name)
        update_project(project=project, actor=where.actor, builtin_sources=in_order(chosen))
        messages.success(request, "Lookups ask the chosen built-in sources, after your own.")
        return redirect_to(request, where.address("list"))
    values = {
        "where": where,
        "offers": offers(project.builtin_sources, project.platform),
        "platform": project.platform,
        "back": where.address("list"),
    }
    return page(request, "sources/builtin.html", values)


def _addresses(where: Where) -> dict[str, str]:
    names = ["new", "order"] if where.place.project is None else ["new", "order", "builtin"]
    return {name: where.address(name) for name in names}
