"""Crash files: `/minidump`, `/applecrashreport`, and `/symbolicate-any` for files that lie elsewhere."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from django.http import HttpResponse
from rest_framework.request import Request

from core.wire import BodyError, BodyTooLarge
from core.wire.multipart import MissingBoundary
from core.wire.multipart_form import Form
from engine.outgoing import Deadline
from engine.run.report_wire import ReportOptions
from engine.sourcetypes.config import BadSource
from symbolication import runtime
from symbolication.callers import Asking, Caller
from symbolication.crash_files import APPLE, FILE_LIMIT, MINIDUMP, Kind, read_form, told_by_form
from symbolication.description import crash_files as described
from symbolication.jobs import Work
from symbolication.query import Query
from symbolication.rejections import Refused, Rejected
from symbolication.stored_files import NO_SOURCES, decode_stored, fetch
from symbolication.views.base import ProjectView, RootView, View
from symbolication.views.flight import answered, query_of
from symbolication.views.json_requests import answer_json


class FormView(View):
    """Takes a form with a file. What is wrong with it is said in JSON, but for a content type that is none."""

    body_limit = FILE_LIMIT

    def body_refusal(self, error: BodyError) -> Rejected:
        """As Symbolicator has it, where a body that is too large is one that cannot be read."""
        if isinstance(error, MissingBoundary):
            return Rejected(error.status, error.message)
        return Refused(400 if isinstance(error, BodyTooLarge) else error.status, error.message)


class MinidumpView(FormView, RootView):
    """`POST /minidump`."""

    @described.minidump
    def post(self, request: Request) -> HttpResponse:
        """Walk and symbolicate the stacks of a minidump."""
        return _answer_form(request, self.caller(request), MINIDUMP)


class ProjectMinidumpView(FormView, ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/minidump/`."""

    @described.project_minidump
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Walk and symbolicate the stacks of a minidump with the project's stored sources."""
        return _answer_form(request, self.caller(request, organization_id_or_slug, project_id_or_slug), MINIDUMP)


class AppleReportView(FormView, RootView):
    """`POST /applecrashreport`."""

    @described.apple
    def post(self, request: Request) -> HttpResponse:
        """Symbolicate a crash report of an Apple system."""
        return _answer_form(request, self.caller(request), APPLE)


class ProjectAppleReportView(FormView, ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/applecrashreport/`."""

    @described.project_apple
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Symbolicate a crash report of an Apple system with the project's stored sources."""
        return _answer_form(request, self.caller(request, organization_id_or_slug, project_id_or_slug), APPLE)


class StoredFileView(RootView):
    """`POST /symbolicate-any`."""

    @described.stored
    def post(self, request: Request) -> HttpResponse:
        """Fetch a crash file and symbolicate it."""
        caller = self.caller(request)
        return answer_json(request, caller, partial(_stored_work, caller))


class ProjectStoredFileView(ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-any/`."""

    @described.project_stored
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Fetch a crash file and symbolicate it with the project's stored sources."""
        caller = self.caller(request, organization_id_or_slug, project_id_or_slug)
        return answer_json(request, caller, partial(_stored_work, caller))


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be done with a crash file."""

    kind: Kind
    options: ReportOptions
    asking: Asking
    caller: Caller
    scope: str

    def run(self, content: mmap.mmap | bytes, deadline: Deadline) -> bytes:
        """The answer. Raises BadReport and DeadlineExceeded."""
        engine = runtime.engine()
        symbolicate = engine.minidump if self.kind is MINIDUMP else engine.apple
        return symbolicate(
            content,
            self.options,
            self.asking.sources,
            scope=self.scope,
            deadline=deadline,
            trust=self.caller.asker.trust,
            annotate=self.asking.annotate,
            explain=self.asking.explain,
        )


def _answer_form(request: Request, caller: Caller, kind: Kind) -> HttpResponse:
    query = query_of(request)

    def prepare() -> Work:
        form = read_form(request, kind)
        try:
            return _form_work(form, caller, kind, query)
        except BadSource as error:
            form.close()
            raise Refused(400, error.message) from None
        except BaseException:
            form.close()
            raise

    return answered(query, caller.asker, prepare)


def _form_work(form: Form, caller: Caller, kind: Kind, query: Query) -> Work:
    told = told_by_form(form)
    task = _Task(kind, told.options, caller.asking(told.sources), caller, query.scope)

    def work(deadline: Deadline) -> bytes:
        # The request may have been answered as pending: the file lives as long as the work on it.
        with form:
            return task.run(form.files[0].content(), deadline)

    return work


def _stored_work(caller: Caller, body: bytes, query: Query) -> Work:
    stored, told = decode_stored(body)
    asking = caller.asking(told.sources, absent=NO_SOURCES)
    task = _Task(stored.kind, told.options, asking, caller, query.scope)

    def work(deadline: Deadline) -> bytes:
        with fetch(stored, caller.asker, deadline) as file:
            return task.run(_content(file), deadline)

    return work


def _content(file: BinaryIO) -> mmap.mmap | bytes:
    size = file.seek(0, 2)
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
