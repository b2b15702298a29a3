"""Why a module has no names, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.lookup.diagnosis import Verdict
from engine.modules import ModuleType
from symbolication.remedies import wanted_file
from symbolsvc.shell.answer import AskedSource, Module, ModuleDiagnosis
from symbolsvc.shell.asking import Asking
from symbolsvc.shell.folder import FolderSource
from symbolsvc.shell.scan import MAX_FILES, MAX_INSPECTED
from symbolsvc.shell.words import base_name

_NEAREST: Final = 3
_MISSED: Final = "Misses are remembered for an hour; --fresh asks again."


def explain(asking: Asking, module: Module) -> Iterator[str]:
    """The cause, the remedy, and what was asked for where."""
    said = module.diagnosis
    folders = {folder.id: folder for folder in asking.folders}
    if said is not None:
        yield from _advice(asking, module, said)
        for source in said.sources:
            if source.id not in folders:
                yield from _tries(source)
    for folder in asking.folders:
        yield from _near(folder, module)


def _advice(asking: Asking, module: Module, said: ModuleDiagnosis) -> Iterator[str]:
    file = wanted_file(ModuleType.parse(module.type))
    name = base_name(module.path)
    if said.verdict == Verdict.NO_SOURCES:
        yield f"why: no source was named, so {file} of {name} was looked for nowhere."
        yield "what to do: name a directory or a symbol server with --source."
    elif said.verdict == Verdict.NOT_FOUND and len(asking.folders) == len(asking.asked):
        yield f"why: no file in {', '.join(folder.id for folder in asking.folders)} has the id of {name}."
        yield f"what to do: put {file} of exactly this build there; its name and place do not matter."
    elif said.verdict == Verdict.NOT_FOUND:
        yield f"why: {said.cause}"
        yield f"what to do: put {file} of exactly this build under one of these paths. {_MISSED}"
    else:
        yield f"why: {said.cause}"
        yield f"what to do: {said.remedy}"


def _tries(source: AskedSource) -> Iterator[str]:
    if source.note:
        yield f"{source.id}: {source.note}"
    for asked in source.tries:
        details = f" ({asked.details})" if asked.details else ""
        yield f"{source.id}: {asked.path}: {asked.status.replace('_', ' ')}{details}"


def _near(folder: FolderSource, module: Module) -> Iterator[str]:
    """Files that are called like the module and are of another build."""
    if folder.found.cut:
        yield f"{folder.id} holds more than {MAX_FILES} files or {MAX_INSPECTED} debug files: not all were looked into."
    for file in folder.others(module.path)[:_NEAREST]:
        ids = ", ".join(sorted({facts.debug_id for facts in file.objects}))
        yield f"{file.path} is called like it, but has another id: {ids}"
