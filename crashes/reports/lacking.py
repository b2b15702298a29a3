"""What a report's lookups found nothing for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from crashes.again.lacks import Lack, LackKind
from debugfiles.providers import SOURCE_ID
from engine.lookup.model import CficacheAnswer, FileAnswer, ModuleStatus, SymcacheAnswer
from engine.modules import Wanted
from symbolication.stored import Looked


def lacked_modules(looked: Iterable[Looked]) -> Iterator[Lack]:
    """The files of native modules that frames lie in, or that stacks were unwound through, and that were not found.

    A module without any id lacks nothing that could ever come. One whose file has names and no debug information lacks
    that: an upload can bring it, and sources are not asked for something better.
    """
    for one in looked:
        if one.wanted.debug_id is None and one.wanted.code_id is None:
            continue
        if one.names is not None and _lacks_names(one.names):
            poor = one.names.status is ModuleStatus.FOUND
            yield _lack(LackKind.DEBUG_FILE, one, None if poor else one.names)
        if one.rules is not None and _lacks_rules(one.rules):
            yield _lack(LackKind.UNWIND_FILE, one, one.rules)


def _lacks_names(answer: SymcacheAnswer) -> bool:
    return answer.status is not ModuleStatus.FOUND or not answer.features.has_debug_info


def _lacks_rules(answer: CficacheAnswer) -> bool:
    return answer.status not in (ModuleStatus.FOUND, ModuleStatus.UNUSED)


def _lack(kind: LackKind, looked: Looked, answer: FileAnswer | None) -> Lack:
    wanted, said = looked.wanted, looked.diagnosis
    due = None if answer is None else next_try(answer)
    return Lack(
        kind=kind,
        name=wanted.code_file or wanted.debug_file or "",
        debug_id="" if wanted.debug_id is None else str(wanted.debug_id),
        debug_uuid=None if wanted.debug_id is None else wanted.debug_id.uuid,
        code_id=wanted.code_id or "",
        # An upload alone brings what is better than what was found.
        module={} if answer is None else _module(wanted),
        next_try_at=due,
        cause=said.cause if said else "",
        remedy=said.remedy if said else "",
    )


def next_try(answer: FileAnswer) -> datetime | None:
    """When the first of a project's sources is asked again; None when there is none to ask.

    What is uploaded tells by itself that it came. A source that lists its files and listed none is worth asking again
    once the answer is no longer believed.
    """
    times = []
    for row in answer.candidates:
        if row.source == SOURCE_ID:
            continue
        if row.record is None:
            times.append(answer.valid_until)
        elif row.record.next_try_at is not None:
            times.append(row.record.next_try_at)
    return datetime.fromtimestamp(min(times), UTC) if times else None


def _module(wanted: Wanted) -> dict[str, Any]:
    said = {
        "type": wanted.type.value,
        "code_id": wanted.code_id,
        "code_file": wanted.code_file,
        "debug_id": None if wanted.debug_id is None else str(wanted.debug_id),
        "debug_file": wanted.debug_file,
        "debug_checksum": wanted.debug_checksum,
    }
    return {name: value for name, value in said.items() if value is not None}
