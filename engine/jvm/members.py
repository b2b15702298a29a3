"""The lines below a class in a mapping file: methods, and R8's remarks about them.

ProGuard's manual ("retrace") and R8's documents describe the format:
`[first:last:]type [class.]name(parameters)[:first[:last]] -> obfuscated`, and remarks as JSON behind a `#`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.jvm.model import Callsite, ClassMapping, Entry, Range, Rewrite

LONGEST_LINE = 64 * 1024
# A method that stands for more than this is damaged, or made to be slow.
MOST_ENTRIES = 200_000
_MEMBER = re.compile(
    r"(?:(?P<first>\d{1,10}):(?P<last>\d{1,10}):)?(?P<returns>[^\s:()]+) (?P<name>[^\s:()]+)"
    r"\((?P<parameters>[^\s:()]*)\)(?::(?P<start>\d{1,10})(?::(?P<end>\d{1,10}))?)? -> (?P<obfuscated>\S+)\Z"
)
_FIELD = re.compile(r"[^\s:()]+ [^\s:()]+ -> \S+\Z")
_THROWS = re.compile(r"\Athrows\((L[^;()]+;)\)\Z")
_REMOVES = re.compile(r"\AremoveInnerFrames\((\d{1,9})\)\Z")
_R8 = "com.android.tools.r8."


class _Remark(msgspec.Struct):
    id: str
    file_name: Any = msgspec.field(default=None, name="fileName")
    positions: Any = None
    conditions: Any = None
    actions: Any = None


_remarks = msgspec.json.Decoder(_Remark)


def is_member(line: str) -> bool:
    """Whether a line (without the blanks around it) tells of a method or a field."""
    return bool(_MEMBER.match(line) or _FIELD.match(line))


def read_class(original: str, lines: Iterable[str]) -> ClassMapping:
    """What stands below the line of a class, `lines` being without line ends. What cannot be read is passed over."""
    reader = _ClassReader()
    for line in lines:
        reader.read(line.strip())
    return ClassMapping(original, reader.source_file, {name: tuple(made) for name, made in reader.methods.items()})


class _ClassReader:
    """Collects entries; a remark belongs to the entry above it, or to the class."""

    def __init__(self) -> None:
        self.source_file: str | None = None
        self.methods: dict[str, list[Entry]] = {}
        self._last: Entry | None = None
        self._left = MOST_ENTRIES

    def read(self, line: str) -> None:
        if not line or len(line) > LONGEST_LINE:
            return
        if line.startswith("#"):
            self._remark(line[1:].strip())
            return
        entry = _entry(line)
        # A field ends the remarks of the method above it.
        self._last = entry
        if entry is not None and self._left:
            self._left -= 1
            self.methods.setdefault(entry.obfuscated, []).append(entry)

    def _remark(self, text: str) -> None:
        remark = _decoded(text)
        if remark is None:
            return
        if remark.id == "sourceFile":
            if isinstance(remark.file_name, str) and remark.file_name:
                self.source_file = remark.file_name
        elif self._last is not None:
            _apply(remark, self._last)


def _decoded(text: str) -> _Remark | None:
    try:
        return _remarks.decode(text.encode(errors="replace"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _apply(remark: _Remark, entry: Entry) -> None:
    match remark.id.removeprefix(_R8):
        case "synthesized":
            entry.synthesized = True
        case "outline":
            entry.outline = True
        case "outlineCallsite":
            entry.callsites.append(Callsite(_positions(remark.positions)))
        case "rewriteFrame":
            rewrite = _rewrite(remark)
            if rewrite is not None:
                entry.rewrites.append(rewrite)


def _positions(given: Any) -> Mapping[int, int]:
    if not isinstance(given, dict):
        return {}
    return {int(key): to for key, to in given.items() if key.isascii() and key.isdigit() and isinstance(to, int)}


def _rewrite(remark: _Remark) -> Rewrite | None:
    """None for a rule with conditions or actions that are not known: half of a rule would be another one."""
    throws = _all_of(_THROWS, remark.conditions)
    removed = _all_of(_REMOVES, remark.actions)
    if not throws or not removed:
        return None
    return Rewrite(throws, sum(int(count) for count in removed))


def _all_of(pattern: re.Pattern[str], given: Any) -> tuple[str, ...]:
    """What the pattern captures of each text; empty when one of them is something else."""
    if not isinstance(given, list):
        return ()
    found = [pattern.match(text) if isinstance(text, str) else None for text in given]
    return tuple(match[1] for match in found if match) if all(found) else ()


def _entry(line: str) -> Entry | None:
    match = _MEMBER.match(line)
    if match is None:
        return None
    owner, _, name = match["name"].rpartition(".")
    first, last = match["first"], match["last"]
    minified = Range(int(first), int(last)) if first and int(last) else None
    return Entry(
        obfuscated=match["obfuscated"],
        name=name,
        owner=owner or None,
        parameters=match["parameters"],
        returns=match["returns"],
        minified=minified,
        original=_original(match, minified),
    )


def _original(match: re.Match[str], minified: Range | None) -> Range | None:
    """Without lines of its own, a method that has lines was left where it was."""
    if match["start"] is None:
        return minified
    start = int(match["start"])
    return Range(start, int(match["end"])) if match["end"] else Range(start, start)
