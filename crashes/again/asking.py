"""One lookup of one lacked file, with the sources that its project has now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from crashes.again.lacks import LackKind
from crashes.models import LackedFile
from crashes.reports.lacking import next_try
from debugfiles.composing import ProjectSources, project_sources
from engine.lookup import CficacheAnswer, ModuleStatus, SymcacheAnswer, find_cficache, find_symcache
from engine.lookup.model import Purpose, UseStatus
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from symbolication import runtime
from symbolication.diagnosing import Diagnoser
from symbolication.query import DEFAULT_SCOPE
from symbolication.stored import access_of

_TEXT_LENGTH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Probed:
    """What a lookup said. `nobody`: there is no source that could be asked again."""

    found: bool = False
    source: str = ""
    nobody: bool = False
    next_try_at: datetime | None = None
    cause: str = ""
    remedy: str = ""


def ask(file: LackedFile, seconds: float) -> Probed:
    """Look for the file in the sources of its project. Raises DeadlineExceeded."""
    opened = project_sources(access_of(file.project))
    wanted = wanted_of(file.module)
    answer = _look_up(file.kind, wanted, opened, Deadline.after(seconds))
    said = Diagnoser(opened.asked, opened.unasked).diagnosis(wanted, answer)
    due = next_try(answer)
    return Probed(
        found=_serves(file.kind, answer),
        source=_source_of(answer, opened),
        nobody=due is None,
        next_try_at=due,
        cause=said.cause[:_TEXT_LENGTH],
        remedy=said.remedy[:_TEXT_LENGTH],
    )


def wanted_of(module: dict[str, Any]) -> Wanted:
    """A module as it stands in a request, as what identifies its files."""
    debug_id = module.get("debug_id")
    return Wanted(
        type=ModuleType.parse(str(module.get("type", ""))),
        code_id=module.get("code_id"),
        code_file=module.get("code_file"),
        debug_id=DebugId.parse(debug_id) if isinstance(debug_id, str) else None,
        debug_file=module.get("debug_file"),
        debug_checksum=module.get("debug_checksum"),
    )


def _look_up(kind: str, wanted: Wanted, opened: ProjectSources, deadline: Deadline) -> SymcacheAnswer | CficacheAnswer:
    find: Any = find_cficache if kind == LackKind.UNWIND_FILE else find_symcache
    answer: SymcacheAnswer | CficacheAnswer = find(
        wanted, opened.sources, scope=DEFAULT_SCOPE, store=runtime.engine().store, deadline=deadline
    )
    return answer


def _serves(kind: str, answer: SymcacheAnswer | CficacheAnswer) -> bool:
    """Whether a crash would not lack it any more."""
    if answer.status is not ModuleStatus.FOUND:
        return False
    return kind == LackKind.UNWIND_FILE or answer.features.has_debug_info


def _source_of(answer: SymcacheAnswer | CficacheAnswer, opened: ProjectSources) -> str:
    purpose = Purpose.UNWIND if isinstance(answer, CficacheAnswer) else Purpose.DEBUG
    used = (row.source for row in answer.candidates if (use := row.use(purpose)) and use.status is UseStatus.OK)
    source = next(used, "")
    return next((one.name or one.id for one in opened.asked if one.id == source), source)
