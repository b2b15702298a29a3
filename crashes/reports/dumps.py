"""Minidumps and reports of PLCrashReporter."""

from __future__ import annotations

import re
from typing import Any, Final

from crashes.reports.answers import Answer, read_answer
from crashes.reports.context import Context
from crashes.reports.facts import facts_of
from crashes.reports.lacking import lacked_modules
from crashes.reports.model import Outcome, UnreadableReport
from crashes.reports.sent import Sent
from crashes.results import Failure, Result, Thread
from crashes.scrubbing import scrub, scrub_text
from engine.errors import BadReport
from engine.outgoing import Deadline
from symbolication import stored

_PLATFORM: Final = "native"
_FAULTING: Final = "_mod_faulting_tid"
_HEX: Final = re.compile("0[xX][0-9a-fA-F]{1,16}", re.ASCII)


def examine_minidump(sent: Sent, context: Context, deadline: Deadline) -> Outcome:
    """Walk and symbolicate a dump. Raises UnreadableReport, BlobError, OSError and DeadlineExceeded."""
    with sent.open() as content:
        try:
            answered = stored.minidump(context.access, content, deadline)
        except BadReport as error:
            raise UnreadableReport(f"The minidump cannot be read: {error.message}.") from None
    return _outcome(sent, context, answered)


def examine_apple(sent: Sent, context: Context, deadline: Deadline) -> Outcome:
    """Symbolicate a report of PLCrashReporter, or another one of Apple's. Raises as `examine_minidump`."""
    with sent.open() as content:
        try:
            answered = stored.apple(context.access, content, deadline)
        except BadReport as error:
            raise UnreadableReport(f"The crash report cannot be read: {error.message}.") from None
    return _outcome(sent, context, answered)


def _outcome(sent: Sent, context: Context, answered: stored.Answered) -> Outcome:
    answer = read_answer(answered.body)
    result = native_result(answer, context)
    choose_thread(result.threads, wanted_thread(sent))
    result.failures = _failures(answer, result)
    dump = scrub(answer.dump, context.rules.secret_names)
    result.annotations = {"dump": dump} if dump else {}
    facts = facts_of(result, {**_told(answer.dump), **sent.attributes})
    return Outcome(result, facts, tuple(lacked_modules(answered.looked)))


def native_result(answer: Answer, context: Context) -> Result:
    """An answer of the engine as a result, with the application's own frames marked and texts scrubbed."""
    threads = [stack.thread() for stack in answer.stacktraces]
    context.mark_native(threads, answer.modules)
    return Result(
        _PLATFORM,
        reason=_scrubbed(answer.crash_reason),
        crash_details=_scrubbed(answer.crash_details),
        assertion=_scrubbed(answer.assertion),
        timestamp=answer.timestamp,
        system=answer.system_info,
        threads=threads,
        modules=answer.modules,
    )


def wanted_thread(sent: Sent) -> str:
    """The id of the thread that the submission names as the one to group by; empty where it names none."""
    wanted = sent.modifiers.get(_FAULTING) or sent.attributes.get(_FAULTING)
    text = str(wanted).strip() if isinstance(wanted, str | int) and not isinstance(wanted, bool) else ""
    return str(int(text, 16)) if _HEX.fullmatch(text) else text


def choose_thread(threads: list[Thread], wanted: str) -> None:
    """Let the thread with the id `wanted` be the one that crashed, where there is one with it."""
    if wanted and any(thread.id == wanted for thread in threads):
        for thread in threads:
            thread.crashed = thread.id == wanted


def _failures(answer: Answer, result: Result) -> list[Failure]:
    """The signal or exception that the dump names, such as `SIGSEGV / SEGV_MAPERR / 0x10`."""
    if not answer.crash_reason:
        return []
    kind, _, value = (result.reason or "").partition(" / ")
    crashed = next((at for at, thread in enumerate(result.threads) if thread.crashed), None)
    return [Failure(kind, value, stack=crashed)]


def _scrubbed(text: str | None) -> str | None:
    return scrub_text(text) or None if text else None


def _told(dump: dict[str, Any]) -> dict[str, Any]:
    """What Crashpad was told to write into the dump, such as the version."""
    told = dump.get("annotations")
    return told if isinstance(told, dict) else {}
