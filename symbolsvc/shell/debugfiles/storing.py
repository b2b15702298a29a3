"""`upload` and `list`: what needs the database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.core.management.base import CommandError

from core.api import ApiError
from core.blobs import BlobError, blob_store
from debugfiles.bodies import DebugFileView, debug_file_view
from debugfiles.finding import matching
from debugfiles.identify import Upload
from debugfiles.models import DebugFile
from debugfiles.receiving import max_upload_bytes
from debugfiles.records.debug_files import store_debug_files
from debugfiles.retention.policy import policy_of
from projects.access import SYSTEM
from projects.models import Project
from symbolsvc.management.base import organization_named, project_named
from symbolsvc.shell.arguments import UsageError, complain
from symbolsvc.shell.debugfiles.arguments import Outcome
from symbolsvc.shell.debugfiles.walking import OnDisk, sized, walk
from symbolsvc.shell.progress import Progress
from symbolsvc.shell.words import printable

_STEP: Final = 1 << 20
_BAR: Final = 20


def upload(words: Sequence[str], reference: str, *, as_json: bool) -> Outcome:
    """Upload files to a project and say what became of each. Raises UsageError."""
    project = project_at(reference)
    files, problems = walk(words)
    progress, stored, refused = Progress(sys.stderr), 0, 0
    shown: list[Any] = []
    for number, file in enumerate(files):
        try:
            rows = _store(project, file, progress, f"{number + 1} of {len(files)}")
        except (ApiError, BlobError) as refusal:
            progress.clear()
            # A directory holds other things too; what fails for all is said once.
            if file.named or getattr(refusal, "code", "") != "malformed":
                refused += 1
                complain(printable(f"{file.path.parent}: {refusal.message}"))
            continue
        stored += 1
        shown += [{"file": str(file.path), **msgspec.to_builtins(row)} for row in rows]
        if not as_json:
            progress.clear()
            sys.stdout.write("".join(f"{printable(line)}\n" for line in _uploaded(file, rows)))
    progress.clear()
    if as_json:
        sys.stdout.write(f"{json.dumps(shown)}\n")
    for problem in problems:
        complain(problem)
    if problems:
        return Outcome.UNREADABLE
    return Outcome.FINE if stored and not refused else Outcome.LACKING


def list_files(reference: str, query: str, *, as_json: bool) -> Outcome:
    """Print the debug files of a project, newest first. Raises UsageError."""
    project = project_at(reference)
    policy = policy_of(project)
    rows = DebugFile.objects.filter(project=project).order_by("-id")
    found = (rows.filter(matching(query)) if query else rows).iterator(chunk_size=500)
    views = (debug_file_view(row, policy) for row in found)
    if as_json:
        sys.stdout.write(f"{json.dumps([msgspec.to_builtins(view) for view in views])}\n")
    else:
        for view in views:
            sys.stdout.write(f"{printable(_listed(view))}\n")
    return Outcome.FINE


def project_at(reference: str) -> Project:
    """The project at `ORG/PROJECT`, by slugs or ids. Raises UsageError."""
    organization, separator, project = reference.partition("/")
    if not separator:
        raise UsageError("--project: write ORG/PROJECT")
    try:
        return project_named(organization_named(organization), project)
    except CommandError as error:
        raise UsageError(f"--project: {error}") from None


def _store(project: Project, file: OnDisk, progress: Progress, place: str) -> list[DebugFileView]:
    limit = max_upload_bytes()
    with blob_store().incoming(limit) as incoming, file.path.open("rb") as content:
        while piece := content.read(_STEP):
            incoming.write(piece)
            progress.tell(f"{_bar(incoming.size, file.size)} {place}, {file.path.name} ({sized(file.size)})")
        incoming.finish()
        progress.tell(f"{_bar(1, 1)} {place}, looking into {file.path.name}")
        rows, _ = store_debug_files(project=project, actor=SYSTEM, upload=Upload(incoming, file.path.name))
    policy = policy_of(project)
    return [debug_file_view(row, policy) for row in rows]


def _bar(done: int, total: int) -> str:
    filled = _BAR if done >= total else _BAR * done // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def _uploaded(file: OnDisk, rows: Sequence[DebugFileView]) -> Iterator[str]:
    for row in rows:
        yield f"{file.path}: {row.symbol_type} {row.cpu_name} {row.debug_id or row.code_id}"
    if not rows:
        yield f"{file.path}: nothing of use in it"


def _listed(row: DebugFileView) -> str:
    expiry = f"expires {row.expires_at:%Y-%m-%d}" if isinstance(row.expires_at, datetime) else "kept"
    ids = row.debug_id or row.code_id or "-"
    return f"{row.id:>8}  {ids:<45} {row.symbol_type:<12} {sized(row.size):>10}  {expiry}  {row.object_name}"
