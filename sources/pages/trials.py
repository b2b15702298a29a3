"""Testing a source: the steps as they happen where scripts run, all at once where not."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from core.api import ApiError
from core.database import release
from core.pages import page
from core.pages.answers import POLICY
from projects.models import Organization
from sources.models import SymbolSource
from sources.pages.editing import form_of, show_form
from sources.pages.forms import SourceForm
from sources.pages.module_form import ModuleForm
from sources.pages.places import Where
from sources.pages.rows import lies_at
from sources.pages.words import STEP_WORDS
from sources.testing.app_store import not_ready
from sources.testing.reading import NotReady, Tested, read_test
from sources.testing.running import run_test
from sources.testing.steps import StepName, Steps
from sources.testing.trial import SourceTestReport
from sources.types import TYPES

# What asks for the steps one by one; each part ends with the line, and replaces the one before it.
LIVE: Final = "X-Live"
END: Final = "\n<!-- next -->\n"
_LOOK_SECONDS: Final = 0.1

Report = SourceTestReport | ApiError


def stored(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponseBase:
    """The test of a stored source, also for a module of one's own."""
    row = where.find(source)
    module = ModuleForm(request.POST if request.method == "POST" else None)

    def shown(report: Report | None = None) -> HttpResponse:
        kind = TYPES.get(row.type)
        if isinstance(report, ApiError):
            module.refuse(report)
        values = {
            "where": where,
            "name": row.name or row.source_id,
            "lies_at": lies_at(row),
            "module": module,
            "looked_up": kind is not None and kind.engine_config is not None,
            "edit": where.address("edit", row.pk),
            "back": where.address("list"),
            **_reported(report),
        }
        return page(request, "sources/test.html", values)

    if request.method != "POST":
        return shown()
    return _tested(request, where, {}, row, module, shown)


def try_new(request: HttpRequest, where: Where, kind: str) -> HttpResponseBase:
    """The test of what a form holds, before it is stored."""
    return _tried(request, where, form_of(kind)(request.POST), None)


def try_changed(request: HttpRequest, where: Where, source: uuid.UUID) -> HttpResponseBase:
    """The test of a change to a stored source, before it is made."""
    row = where.find(source)
    return _tried(request, where, form_of(request.GET.get("type") or row.type)(request.POST, stored=row), row)


def _tried(request: HttpRequest, where: Where, form: SourceForm, row: SymbolSource | None) -> HttpResponseBase:
    module = ModuleForm(request.POST)

    def shown(report: Report | None = None) -> HttpResponse:
        if isinstance(report, ApiError) and report.status < 500 and not module.refuse(report):
            report = ApiError(said(report))
        return show_form(request, where, form, module, stored=row, more=_reported(report))

    def said(refusal: ApiError) -> str:
        form.refuse(refusal)
        return f"First correct: {'; '.join(form.complaints())}"

    form.is_valid()
    return _tested(request, where, {"source": form.body()}, row, module, shown, said)


def _tested(
    request: HttpRequest,
    where: Where,
    body: dict[str, Any],
    row: SymbolSource | None,
    module: ModuleForm,
    shown: Callable[[Report | None], HttpResponse],
    said: Callable[[ApiError], str] = str,
) -> HttpResponseBase:
    """Run the test that a request asks for, and answer live or with the page that `shown` makes."""
    live = request.headers.get(LIVE) == "1"
    try:
        body = {**body, "file": module.body()}
        tested = read_test(where.place, body, row.source_id if row else None)
    except NotReady as problem:
        report: Report = not_ready(problem.failure)
        return _streamed(iter([_part(_reported(report))])) if live else shown(report)
    except ApiError as refusal:
        if not live:
            return shown(refusal)
        about_file = (refusal.field or "").startswith("file")
        return _streamed(iter([_part({"refusal": refusal.message if about_file else said(refusal)})]))
    release()
    if live:
        return _streamed(_parts(_Run(tested, where.place.organization)))
    return shown(_Run(tested, where.place.organization).result())


@dataclass(slots=True)
class _Run:
    """A test that can be watched."""

    tested: Tested
    organization: Organization
    steps: Steps = field(default_factory=Steps)

    def result(self) -> Report:
        try:
            return run_test(self.tested, self.organization, self.steps)
        except ApiError as error:
            return error


def _parts(run: _Run) -> Iterator[bytes]:
    results: list[Report] = []
    thread = threading.Thread(target=lambda: results.append(run.result()), name="source-test-page", daemon=True)
    thread.start()
    shown = -1
    while thread.is_alive():
        if len(run.steps.done) != shown:
            shown = len(run.steps.done)
            yield _part({"steps": _so_far(run.steps), "going": True})
        thread.join(_LOOK_SECONDS)
    yield _part(_reported(results[0] if results else None))


def _part(values: dict[str, Any]) -> bytes:
    return (render_to_string("sources/steps.html", values) + END).encode()


def _streamed(parts: Iterator[bytes]) -> StreamingHttpResponse:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(parts, headers=headers)


def _reported(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {}
    if isinstance(report, ApiError):
        return {"refusal": report.message}
    steps = [(STEP_WORDS[step.step], step.status.value, step.milliseconds, step.text) for step in report.steps]
    return {"report": report, "steps": steps}


def _so_far(steps: Steps) -> list[tuple[str, str, int, str]]:
    """All steps in order; the first that is not done is the one that is waited for."""
    done = {step.step: step for step in list(steps.done)}
    waiting = next((name for name in StepName if name not in done), None)
    rows = []
    for name in StepName:
        step = done.get(name)
        if step is not None:
            rows.append((STEP_WORDS[name], step.status.value, step.milliseconds, step.text))
        else:
            rows.append((STEP_WORDS[name], "going" if name is waiting else "waiting", 0, ""))
    return rows
