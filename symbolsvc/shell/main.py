"""One crash file, from the command line to the page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from engine.apple import UnreadableReport
from engine.convert.client import ConverterUnavailable
from engine.decoding import BadJson, BadSchema
from engine.errors import BadReport, DeadlineExceeded, SymbolsvcError
from engine.lookup.store import Store
from engine.native.wire import decode_request
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate
from engine.run.report_wire import ReportOptions
from engine.sourcetypes.config import BadSource
from symbolication.diagnosing import Diagnoser
from symbolsvc import environment
from symbolsvc.shell.answer import decode
from symbolsvc.shell.arguments import Options, Outcome, UsageError, complain, parse
from symbolsvc.shell.asking import Asking, Stored, open_sources, sources_in
from symbolsvc.shell.crash_file import Content, Kind, kind_of, read
from symbolsvc.shell.explaining import explain
from symbolsvc.shell.page import Page
from symbolsvc.shell.progress import Progress

# Opens a project's sources by ORG/PROJECT; raises UsageError.
OpenProject = Callable[[str], Stored]
_TRUST: Final = Trust.NONE


def main(words: Sequence[str], open_project: OpenProject | None = None) -> int:
    """Run the command; its exit status. `open_project` is there where the database is."""
    try:
        return run(parse(words), open_project)
    except UsageError as error:
        complain(str(error))
        return Outcome.USAGE


def run(options: Options, open_project: OpenProject | None = None) -> Outcome:
    """Symbolicate and print. Raises UsageError."""
    try:
        content = read(Path(options.file))
    except OSError as error:
        complain(f"{options.file}: {error.strerror}")
        return Outcome.UNREADABLE
    stored = _project(options, open_project)
    progress = Progress(sys.stderr)
    try:
        with _store() as store:
            return _symbolicate(options, content, stored, store, progress)
    except (BadReport, BadJson, BadSchema, BadSource) as error:
        complain(f"{options.file}: {_said(error)}")
        return Outcome.UNREADABLE
    except DeadlineExceeded:
        complain(f"not done within {options.timeout:g} s")
    except ConverterUnavailable as error:
        complain(error.message)
    finally:
        progress.clear()
    return Outcome.LACKING


def _symbolicate(options: Options, content: Content, stored: Stored, store: Store, progress: Progress) -> Outcome:
    kind = kind_of(content)
    deadline = Deadline.never() if options.timeout is None else Deadline.after(options.timeout)
    named = sources_in(bytes(content)) if kind is Kind.REQUEST else None
    asking = open_sources(options, named, stored, store, deadline, progress)
    answer = _answer(Engine(store, Gate()), kind, content, asking, deadline)
    progress.clear()
    decoded = decode(answer)
    if options.as_json:
        sys.stdout.write(f"{answer.decode()}\n")
    else:
        page = Page(f"{options.file}, {kind}", decoded, partial(explain, asking))
        sys.stdout.write("".join(f"{line}\n" for line in page.lines()))
    return Outcome.NAMED if decoded.is_named else Outcome.LACKING


def _answer(engine: Engine, kind: Kind, content: Content, asking: Asking, deadline: Deadline) -> bytes:
    annotate = Diagnoser(asking.asked, asking.unasked).json
    if kind is Kind.REQUEST:
        request = decode_request(bytes(content))
        return engine.symbolicate(
            request, asking.sources, scope=asking.scope, deadline=deadline, annotate=annotate, trust=_TRUST
        )
    symbolicate = engine.minidump if kind is Kind.MINIDUMP else engine.apple
    return symbolicate(
        content,
        ReportOptions(),
        asking.sources,
        scope=asking.scope,
        deadline=deadline,
        trust=_TRUST,
        annotate=annotate,
        explain=True,
    )


def _project(options: Options, open_project: OpenProject | None) -> Stored:
    if options.project is None:
        return Stored()
    if open_project is None:
        raise UsageError("--project: there is no database here")
    return open_project(options.project)


def _said(error: SymbolsvcError) -> str:
    return f"{error.message}: {error.detail}" if isinstance(error, UnreadableReport) else error.message


@contextmanager
def _store() -> Iterator[Store]:
    """The cache of this host, shared with the service, and a converter for as long as it is needed."""
    values = environment.read()
    store = Store(environment.cache_dir(values), max_download_bytes=values["MAX_DOWNLOAD_BYTES"])
    try:
        yield store
    finally:
        store.converter.close()
