"""`check`: what files are, with their ids, and what they lack."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from core.api import ApiError
from debugfiles.identify import Offered, identify
from debugfiles.kinds import Identified
from symbolsvc.shell.arguments import complain
from symbolsvc.shell.debugfiles.arguments import Outcome
from symbolsvc.shell.debugfiles.lacking import lacking
from symbolsvc.shell.debugfiles.walking import OnDisk, sized, walk
from symbolsvc.shell.progress import Progress
from symbolsvc.shell.words import printable


@dataclass(frozen=True, slots=True)
class CheckedObject:
    """One object of a file: what it is, and what it lacks."""

    type: str
    kind: str
    cpu: str
    debug_id: str | None
    code_id: str | None
    features: tuple[str, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file: its objects, or why it is of no use."""

    path: str
    size: int
    objects: tuple[CheckedObject, ...] = ()
    refused: str = ""

    @property
    def is_fine(self) -> bool:
        return not self.refused and not any(item.lacks for item in self.objects)


def check(words: Sequence[str], *, as_json: bool) -> Outcome:
    """Look into files and say what was seen."""
    files, missing = walk(words)
    progress = Progress(sys.stderr)
    checked = []
    for number, file in enumerate(files):
        progress.tell(f"looking: {number} of {len(files)} files, {file.path.name}")
        checked.append(checked_file(file))
    progress.clear()
    # A directory holds other things too.
    shown = [one for one, file in zip(checked, files, strict=True) if file.named or not one.refused]
    if as_json:
        sys.stdout.write(f"{json.dumps([asdict(one) for one in shown])}\n")
    else:
        sys.stdout.write("".join(f"{printable(line)}\n" for one in shown for line in _lines(one)))
    for problem in missing:
        complain(problem)
    if missing:
        return Outcome.UNREADABLE
    return Outcome.FINE if shown and all(one.is_fine for one in shown) else Outcome.LACKING


def checked_file(file: OnDisk) -> CheckedFile:
    """What a file is."""
    path = str(file.path)
    try:
        objects = identify(Offered(file, file.path.name))
    except ApiError as refusal:
        return CheckedFile(path, file.size, refused=refusal.message)
    return CheckedFile(path, file.size, tuple(_object(item, file.path) for item in objects))


def _object(item: Identified, path: Path) -> CheckedObject:
    return CheckedObject(
        type=item.symbol_type.value,
        kind=item.kind,
        cpu=item.cpu,
        debug_id=None if item.debug_id is None else str(item.debug_id),
        code_id=item.code_id or None,
        features=tuple(item.features),
        lacks=tuple(lacking(item, path)),
    )


def _lines(file: CheckedFile) -> Iterator[str]:
    if file.refused:
        # The refusal begins with the name of the file.
        yield f"{file.path.removesuffix(Path(file.path).name)}{file.refused}"
    for item in file.objects:
        words = " ".join(word for word in (item.type, item.cpu, item.kind) if word)
        yield f"{file.path}: {words}, {sized(file.size)}"
        yield f"    debug id  {item.debug_id or '-'}"
        yield f"    code id   {item.code_id or '-'}"
        yield f"    has       {', '.join(item.features) or '-'}"
        yield from (f"  ! {text}" for text in item.lacks)
