"""What a project's crashes lack: the files to upload next, those first whose arrival would mend most crashes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core.pages import page, redirect_to
from core.text import storable
from crashes.again.asking_now import ask_for_all_now, ask_now
from crashes.again.lacking import LackedRow, most_lacked, named
from crashes.again.lacks import LackKind
from crashes.again.shapes import LackedFileView, RerunProgress, lacked_view, progress
from crashes.models import Crash, Rerun
from crashes.rest.asking import READ, WRITE
from crashes.searching import any_crash
from debugfiles.upload_views import SCOPES
from projects.access import ProjectAccess
from projects.models import Project
from projects.pages import Tab, project_page, register_tab
from projects.pages.commands import TOKEN, base_url

ROWS: Final = 50
_START: Final = re.compile("[0-9]{1,5}")
_MOST_CRASHES: Final = 20
_MOST_RUNS: Final = 5
_ID_LENGTH: Final = 128
KINDS: Final = {
    LackKind.DEBUG_FILE: "debug file",
    LackKind.UNWIND_FILE: "file with unwind rules",
    LackKind.SOURCE_MAP: "script or source map",
    LackKind.MAPPING: "ProGuard or R8 mapping",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that crashes lack, as it is shown. `command` uploads it, `address` is where a page does."""

    file: LackedFileView
    kind: str
    base_name: str
    address: str
    command: str
    askable: bool


@require_safe
@project_page(*READ)
def missing(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The files, or with `?for=` the one with an id, with crashes that lack it."""
    asked = storable(request.GET.get("for", "").strip())[:_ID_LENGTH]
    start = _start(request)
    rows = named(access.project, asked, ROWS) if asked else most_lacked(access.project, start, ROWS + 1)
    values = {
        "files": [_shown(request, access, row) for row in rows[:ROWS]],
        "asked": asked,
        "before": max(0, start - ROWS) if start and not asked else None,
        "after": start + ROWS if len(rows) > ROWS and not asked else None,
        "crashes": _crashes(access.project, rows) if asked else [],
        "runs": _runs(access.project),
        "may_ask": not access.scopes.isdisjoint(WRITE),
        "may_upload": not access.scopes.isdisjoint(SCOPES["POST"]),
        "any_crash": bool(rows) or any_crash(access.project),
    }
    return page(request, "crashes/missing.html", values)


@require_POST
@project_page(*WRITE)
def ask_again(request: HttpRequest, access: ProjectAccess, file_id: int) -> HttpResponse:
    """Have the sources asked for one file."""
    file = ask_now(access=access, file_id=file_id)
    name = file.name.replace("\\", "/").rpartition("/")[2] or "the file"
    messages.success(request, f"The sources are asked for {name} within a minute. If one has it, its crashes follow.")
    return _back(request, access)


@require_POST
@project_page(*WRITE)
def ask_for_all(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """Have the sources asked for all files that a source could have."""
    count = ask_for_all_now(access=access)
    if count:
        messages.success(request, f"The sources are asked for {count} file{'' if count == 1 else 's'} from now on.")
    else:
        messages.info(request, "Nothing is missing that a source could have.")
    return _back(request, access)


def _back(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    asked = storable(request.POST.get("for", ""))[:_ID_LENGTH]
    address = reverse("crash_pages:missing", args=[access.organization.slug, access.project.slug])
    return redirect_to(request, f"{address}?{urlencode({'for': asked})}" if asked else address)


def _start(request: HttpRequest) -> int:
    text = request.GET.get("start", "")
    return int(text) if _START.fullmatch(text) else 0


def _shown(request: HttpRequest, access: ProjectAccess, row: LackedRow) -> Missing:
    file = lacked_view(row)
    base_name = file.name.replace("\\", "/").rpartition("/")[2] or file.name
    known_as = file.debug_id or file.code_id
    upload = reverse("files:upload", args=[access.organization.slug, access.project.slug])
    query = urlencode({"for": known_as, "crash": file.newest_crash} if known_as else {"crash": file.newest_crash})
    return Missing(
        file=file,
        kind=KINDS.get(LackKind(file.kind), file.kind) if file.kind in set(LackKind) else file.kind,
        base_name=base_name,
        address=f"{upload}?{query}",
        command=_command(request, access, file, base_name),
        askable=bool(row.file.module),
    )


def _command(request: HttpRequest, access: ProjectAccess, file: LackedFileView, base_name: str) -> str:
    """What to type where the build lies. Names come from crashes, so they are quoted for the shell."""
    cli = f"sentry-cli --url {base_url(request)}/ --auth-token {TOKEN}"
    place = f"--org {access.organization.slug} --project {access.project.slug}"
    match file.kind:
        case LackKind.SOURCE_MAP:
            release = f" --release {shlex.quote(file.release)}" if file.release and not file.debug_id else ""
            dist = f" --dist {shlex.quote(file.dist)}" if release and file.dist else ""
            return f"{cli} sourcemaps upload {place}{release}{dist} --wait dist/"
        case LackKind.MAPPING:
            return f"{cli} upload-proguard {place} --uuid {shlex.quote(file.debug_id)} mapping.txt"
        case _:
            wanted = f" --id {shlex.quote(file.debug_id)}" if file.debug_id else ""
            return f"{cli} debug-files upload {place}{wanted} --wait ."


def _crashes(project: Project, rows: list[LackedRow]) -> list[Crash]:
    lacking = Crash.objects.filter(project=project, lacks__file__in=[row.file.pk for row in rows]).distinct()
    return list(lacking.order_by("-pk")[:_MOST_CRASHES])


def _runs(project: Project) -> list[RerunProgress]:
    """Runs that go on now: what came is mending crashes."""
    rows = Rerun.objects.filter(project=project, kind=Rerun.Kind.PROCESS)
    newest = [progress(row) for row in rows.order_by("-pk")[:_MOST_RUNS]]
    return [one for one in newest if one.state not in (Rerun.State.DONE, Rerun.State.CANCELLED)]


def register_missing() -> None:
    """Show the tab. Once per process."""
    register_tab(Tab("What is missing", "crash_pages:missing", READ, place=20))
