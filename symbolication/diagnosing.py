"""The diagnoses of a project's modules, as JSON that is put into the answer.

A project has one `Diagnoser` for as long as its sources stay the same. What it said about an answer of the lookup is
remembered together with that answer, so that warm requests pay for one look into a dictionary per module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from engine.lookup.diagnosis import Asked, Diagnosis, SourceTries, Unasked, Verdict, diagnose
from engine.lookup.model import (
    Candidate,
    CficacheAnswer,
    FileAnswer,
    ModuleStatus,
    Purpose,
    SymcacheAnswer,
    TryRecord,
)
from engine.modules import Wanted
from engine.native.memory import TwoGenerations
from symbolication.remedies import ADVICE, NOTES, wanted_file

_REMEMBERED_BYTES: Final = 4 * 1024 * 1024
_OWN_BYTES: Final = 400
_NO_TIME: Final = "unknown"
Note: TypeAlias = Callable[[str, Sequence[SourceTries]], None]
_Answers: TypeAlias = tuple[SymcacheAnswer | None, CficacheAnswer | None]


class ModuleTry(msgspec.Struct):
    """One file that was asked for. `path` is relative to the source; times are in UTC.

    `fetched_at`: when the source was asked. `expires_at`: until when the result is taken as known; null for a file,
    which stays as long as it is used. `next_try_at`: when the source is asked again. `details`: what came back.
    """

    path: str
    status: str
    fetched_at: str | None
    expires_at: str | None
    next_try_at: str | None
    details: str | UnsetType = UNSET


class DiagnosedSource(msgspec.Struct):
    """A source of the project, in the order in which they are asked. `note`: why nothing was asked of it."""

    id: str
    name: str
    tries: list[ModuleTry]
    note: str | UnsetType = UNSET


class ModuleDiagnosis(msgspec.Struct):
    """Why a module has no names, or doubtful ones, or cannot be unwound through, and what to do about it."""

    verdict: Verdict
    cause: str
    remedy: str
    sources: list[DiagnosedSource]


class Diagnoser:
    """Says what is to be said about modules looked up in the sources of one project."""

    def __init__(self, asked: Sequence[Asked], unasked: Sequence[Unasked], note: Note | None = None) -> None:
        """`note` is told once of each fresh answer: of which module, and what came of asking each source."""
        self.asked = tuple(asked)
        self.unasked = tuple(unasked)
        self._note = note
        self._known: TwoGenerations[tuple[str, bool], tuple[_Answers, str]] = TwoGenerations(_REMEMBERED_BYTES)

    def json(
        self,
        key: str,
        wanted: Wanted,
        answer: SymcacheAnswer | None,
        everything: bool,
        unwound: CficacheAnswer | None = None,
    ) -> str:
        """The member `,"diagnosis":{…}` of a module's JSON; empty for a module that was found and gives no cause.

        `key` tells modules apart as `wanted` does. `answer` is None for a module without frames. `everything`: also for
        modules that were found. `unwound` is what the lookup for unwind rules found where stacks were unwound: it is
        spoken of when the names give no cause.
        """
        known = self._known.get((key, everything))
        if known is not None and known[0][0] is answer and known[0][1] is unwound:
            return known[1]
        self._noted(key, wanted, answer, unwound)
        text = self._text(wanted, answer, everything, unwound)
        self._known.put((key, everything), ((answer, unwound), text), _OWN_BYTES + len(key) + 2 * len(text))
        return text

    def diagnosis(self, wanted: Wanted, answer: FileAnswer) -> ModuleDiagnosis:
        """What there is to say about one module's names, or about unwinding through it."""
        return _described(
            diagnose(answer, wanted, self.asked, self.unasked), wanted, isinstance(answer, CficacheAnswer)
        )

    def _noted(self, key: str, wanted: Wanted, *answers: FileAnswer | None) -> None:
        for answer in answers:
            if answer is not None and self._note is not None:
                self._note(key, diagnose(answer, wanted, self.asked).sources)

    def _text(
        self, wanted: Wanted, answer: SymcacheAnswer | None, everything: bool, unwound: CficacheAnswer | None
    ) -> str:
        said = None if answer is None else self.diagnosis(wanted, answer)
        is_found = said is None or said.verdict is Verdict.FOUND
        if is_found and unwound is not None and unwound.status is not ModuleStatus.UNUSED:
            unwinding = self.diagnosis(wanted, unwound)
            said = unwinding if said is None or unwinding.verdict is not Verdict.FOUND else said
        if said is None or (said.verdict is Verdict.FOUND and not everything):
            return ""
        return f',"diagnosis":{msgspec.json.encode(said).decode()}'


def _described(found: Diagnosis, wanted: Wanted, unwinding: bool) -> ModuleDiagnosis:
    advice = ADVICE[found.verdict, found.aspect]
    words = _words(found, wanted, unwinding)
    sources = [_source(row) for row in found.sources]
    left_out = [DiagnosedSource(row.id, row.name, [], f"Left out: {row.reason}.") for row in found.unasked]
    return ModuleDiagnosis(
        found.verdict, advice.cause.format_map(words), advice.remedy.format_map(words), sources + left_out
    )


def _words(found: Diagnosis, wanted: Wanted, unwinding: bool) -> dict[str, str]:
    record = found.record
    details = record.details if record else ""
    use = found.culprit.use(Purpose.UNWIND if unwinding else Purpose.DEBUG) if found.culprit else None
    if use and use.details:
        details = use.details
    name = wanted.code_file or wanted.debug_file or ""
    return {
        "source": (found.source.name or found.source.id) if found.source else "",
        "host": found.host or "its server",
        "path": (record.path if record else "") or "its list of files",
        "details": _plain(details),
        "module": name.replace("\\", "/").rpartition("/")[2] or "the module",
        "file": wanted_file(wanted.type, unwinding=unwinding),
        "until": (_time(record.next_try_at) if record else None) or _NO_TIME,
    }


def _plain(details: str) -> str:
    """Without what the cause says in its own words."""
    for prefix in ("download failed: ", "unsupported: ", "not configured: "):
        details = details.removeprefix(prefix)
    return details.rstrip(".") or "it gave no reason"


def _source(row: SourceTries) -> DiagnosedSource:
    tries = [_try(candidate, candidate.record) for candidate in row.tries if candidate.record]
    note = UNSET if row.absence is None else NOTES[row.absence]
    return DiagnosedSource(row.source.id, row.source.name or row.source.id, tries, note)


def _try(candidate: Candidate, record: TryRecord) -> ModuleTry:
    details: Any = record.details or UNSET
    if record.left_alone:
        details = f"left alone until {_time(record.next_try_at)}; {record.details}"
    return ModuleTry(
        record.path,
        record.outcome.value,
        _time(record.fetched_at),
        _time(record.expires_at),
        _time(record.next_try_at),
        details,
    )


def _time(seconds: float | None) -> str | None:
    """ISO 8601 in UTC, whole seconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
