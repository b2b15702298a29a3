"""Adding, changing and deleting a source by form."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from core.api import ApiError
from core.pages import page, redirect_to
from engine.modules import Wanted
from sources import services
from sources.models import SymbolSource
from sources.pages.examples import SAMPLES, Example, example
from sources.pages.forms import FORMS, SourceForm
from sources.pages.module_form import ModuleForm
from sources.pages.places import Where
from sources.pages.rows import lies_at
from sources.pages.words import TYPE_WORDS
from sources.testing.reading import read_wanted
from sources.types import TYPES
from sources.validation import read_source


def choose(request: HttpRequest, where: Where) -> HttpResponse:
    """Which type of source to add."""
    types = [(TYPES[name].label, words, where.address("add", name)) for name, words in TYPE_WORDS.items()]
    return page(request, "sources/choose.html", {"where": where, "types": types, "back": where.address("list")})


def add(request: HttpRequest, where: Where, kind: str) -> HttpResponse:
    """The form of a new source, and storing it."""
    if request.method != "POST":
        return show_form(request, where, form_of(kind)(), ModuleForm())
    form = form_of(kind)(request.POST)
    if form.is_valid():
        try:
            submitted = read_source(form.body(), may_keep=False)
            row = services.create_source(place=where.place, submitted=submitted, actor=where.actor)
        except ApiError as error:
            form.refuse(error)
        else:
            messages.success(
                request, f"{_called(row)} is added. Lookups ask it last of your own; move it up as needed."
            )
            return redirect_to(request, where.address("list"))
    return show_form(request, where, form, ModuleForm(request.POST), status=400)


def edit(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponse:
    """The form of a stored source, and replacing it; `?type=` makes it one of another type."""
    row = where.find(source)
    if row.type not in FORMS and "type" not in request.GET:
        text = "its type is not known to this version; delete it or make it one of another type"
        messages.warning(request, f"{_called(row)}: {text}.")
        return redirect_to(request, where.address("delete", row.pk))
    make = form_of(request.GET.get("type") or row.type)
    if request.method != "POST":
        return show_form(request, where, make(stored=row), ModuleForm(), stored=row)
    form = make(request.POST, stored=row)
    if form.is_valid():
        try:
            submitted = read_source(form.body(), may_keep=True)
            row = services.replace_source(
                place=where.place, source_id=row.source_id, submitted=submitted, actor=where.actor
            )
        except ApiError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{_called(row)} is changed. The next lookup asks it as it is now.")
            return redirect_to(request, where.address("list"))
    return show_form(request, where, form, ModuleForm(request.POST), stored=row, status=400)


def delete(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponse:
    """Asks whether a source is to be deleted, and deletes it."""
    row = where.find(source)
    if request.method == "POST":
        services.delete_source(place=where.place, source_id=row.source_id, actor=where.actor)
        messages.success(request, f"{_called(row)} is deleted.")
        return redirect_to(request, where.address("list"))
    values = {
        "where": where,
        "name": _called(row),
        "lies_at": lies_at(row),
        "secret": row.secrets is not None,
        "back": where.address("list"),
    }
    return page(request, "sources/delete.html", values)


def shown_example(request: HttpRequest, where: Where, kind: str) -> HttpResponse:
    """The part of a form that says what will be asked for, for what is entered so far."""
    form, module = form_of(kind)(request.POST), ModuleForm(request.POST)
    return page(request, "sources/example.html", example_of(form, module))


def form_of(kind: str) -> type[SourceForm]:
    """The form of a type. Raises NotFound."""
    if kind not in FORMS:
        raise NotFound
    return FORMS[kind]


def show_form(
    request: HttpRequest,
    where: Where,
    form: SourceForm,
    module: ModuleForm,
    *,
    stored: SymbolSource | None = None,
    status: int = 200,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page of a form, with what was entered, except secrets."""
    looked_up = TYPES[form.kind].engine_config is not None
    values = {
        "where": where,
        "form": form,
        "module": module,
        "stored": stored,
        "name": _called(stored) if stored else "",
        "kind": TYPES[form.kind],
        "looked_up": looked_up,
        # Said in any case: after a test without scripts the page stands at another address.
        "address": f"{where.address('edit', stored.pk)}?type={form.kind}"
        if stored
        else where.address("add", form.kind),
        "try_address": _try_address(where, form.kind, stored),
        "example_address": where.address("example", form.kind),
        "other_types": [(name, kind.label) for name, kind in TYPES.items() if name != form.kind],
        "back": where.address("list"),
        **(example_of(form, module) if looked_up else {}),
        **(more or {}),
    }
    return page(request, "sources/form.html", values, status=status)


def example_of(form: SourceForm, module: ModuleForm) -> dict[str, Any]:
    """The example of a form, whatever state it is in."""
    try:
        return {"example": example(_so_far(form), _wanted(module)), "module": module}
    except ApiError as error:
        return {"example": Example(note=f"{error.message[:1].upper()}{error.message[1:]}."), "module": module}


def _so_far(form: SourceForm) -> Mapping[str, Any]:
    if form.is_bound:
        form.is_valid()
        return form.body()
    if form.stored is None or form.stored.type != form.kind:
        return {"type": form.kind}
    row = form.stored
    filetypes = {"filters": {"filetypes": row.fields["filetypes"]}} if "filetypes" in row.fields else {}
    return {**filetypes, **row.fields, "type": form.kind}


def _wanted(module: ModuleForm) -> Wanted:
    given = module.body() if module.is_bound else None
    own = read_wanted(given)
    sample = str(module.data.get("file-sample", "")) if module.is_bound else ""
    return own or SAMPLES.get(sample) or SAMPLES["elf"]


def _try_address(where: Where, kind: str, stored: SymbolSource | None) -> str:
    if stored is None:
        return where.address("try_new", kind)
    return f"{where.address('try_changed', stored.pk)}?type={kind}"


def _called(row: SymbolSource) -> str:
    return row.name or row.source_id
