"""Why a stack is guessed from some frame on, and which module's file would mend it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.minidump import Cpu, SystemInfo
from engine.modules import ModuleType, Wanted
from engine.native.fragments import base_name, json_text
from engine.run.book import RuleBook
from engine.run.dump_modules import ShownImages
from engine.run.walks import MAX_FRAMES
from engine.unwind import Ended, Trust, Walk

_GUESSED = frozenset({Trust.SCAN, Trust.FP})
_ENDED_EARLY = frozenset({Ended.NO_CALLER, Ended.NO_PROGRESS, Ended.LOW_PC})


@dataclass(frozen=True, slots=True)
class _Blame:
    """The callee of the first guessed frame: its module's index in the answer, and what its unwind rules said."""

    place: int | None
    wanted: Wanted | None
    has_rules: bool


def diagnose(walk: Walk, system: SystemInfo, book: RuleBook, shown: ShownImages) -> str | None:
    """The JSON of a stack's diagnosis; None when nothing about it is guessed."""
    trusted = frozenset({Trust.SCAN}) if keeps_frame_pointers(system) else _GUESSED
    guessed = next((at for at, frame in enumerate(walk.frames) if frame.trust in trusted), None)
    if guessed is not None:
        blame = _blame(walk, guessed - 1, book, shown)
        return _written({"guessed_from": guessed}, blame, f"From frame {guessed} on this stack is guessed", system)
    last = len(walk.frames) - 1
    blame = _blame(walk, last, book, shown)
    if walk.ended not in _ENDED_EARLY or blame.has_rules or blame.wanted is None:
        return None
    return _written({"cut_after": last}, blame, f"No caller of frame {last} was found", system)


def left_out() -> str:
    """The JSON of the diagnosis of a stack that was not walked, since the dump's other stacks had frames enough."""
    return json_text({"cut_after": 0, "text": f"This stack was not walked: the others have {MAX_FRAMES:,} frames."})


def keeps_frame_pointers(system: SystemInfo) -> bool:
    """Whether programs keep frame pointers by convention, so that a chain of them is no guess."""
    return system.os.is_apple or system.cpu is Cpu.ARM64


def _blame(walk: Walk, callee: int, book: RuleBook, shown: ShownImages) -> _Blame:
    module = walk.frames[callee].module
    if module is None:
        return _Blame(None, None, has_rules=False)
    place = shown.places[module]
    unwound = book.unwound.get(module)
    return _Blame(place, shown.identities[place].wanted, unwound is not None and unwound.answer.identity is not None)


def _written(head: dict[str, object], blame: _Blame, finding: str, system: SystemInfo) -> str:
    wanted = blame.wanted
    if wanted is None:
        said = {"text": f"{finding}: the frame before lies in no module, so nothing tells how to unwind it."}
        return json_text({**head, **said})
    file = base_name(wanted.code_file or wanted.debug_file or "") or "the module"
    if blame.has_rules:
        text = f"{finding}: the unwind information of {file} says nothing about the frame before."
    else:
        text = f"{finding}: no unwind information for {file} was found. {_remedy(wanted, file, system)}"
    return json_text({**head, "module": blame.place, "file": file, "text": text})


def _remedy(wanted: Wanted, file: str, system: SystemInfo) -> str:
    if wanted.type is ModuleType.PE and system.cpu is Cpu.X86:
        what = base_name(wanted.debug_file) if wanted.debug_file else f"the PDB of {file}"
        return f"A source that has {what}{_named(wanted.debug_id)} would mend that."
    return f"A source that has {file} itself{_named(wanted.code_id or wanted.debug_id)} would mend that."


def _named(id: object) -> str:
    return f" ({id})" if id else ""
