"""Why a frame of the JVM was not made readable, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from engine.jvm.mapping import Mapping
from engine.jvm.retrace import Retraced
from engine.jvm.wire import JvmFrame, JvmModule


@dataclass(frozen=True, slots=True)
class Explainer:
    """What the mappings of a request came to: the usable ones, and why others were not to be had, by their ids."""

    modules: Sequence[JvmModule]
    usable: Sequence[Mapping]
    reasons: dict[UUID, str]

    def __call__(self, frame: JvmFrame, found: Retraced | None) -> dict[str, object] | None:
        """The diagnosis of a frame that no mapping explained as a whole; None when nothing is wrong with it."""
        wanted = [str(module.uuid) for module in self.modules if module.type == "proguard"]
        if not wanted:
            return _diagnosis("no_mapping_named", [], _NOT_NAMED)
        if self.reasons and (found is None or not self.usable):
            uuid, reason = next(iter(self.reasons.items()))
            return _diagnosis("mapping_unavailable", wanted, _UNAVAILABLE.format(uuid=uuid, reason=reason))
        if found is None:
            return None if _looks_written(frame.module) else _diagnosis("class_unknown", wanted, _CLASS_UNKNOWN)
        if frame.lineno:
            return _diagnosis("line_or_method_unknown", wanted, _LINE_UNKNOWN)
        return _diagnosis("line_missing", wanted, _LINE_MISSING)


_NOT_NAMED = (
    "The report names no mapping file, so obfuscated names stay as they are. Let the build write the mapping's UUID "
    "into the app (the Gradle plug-in does) and upload the mapping under it."
)
_UNAVAILABLE = "The mapping {uuid} {reason}"
_CLASS_UNKNOWN = (
    "The mapping does not know this class. If the name is obfuscated, the mapping belongs to another build: upload the "
    "mapping.txt of the build that crashed."
)
_LINE_UNKNOWN = (
    "The mapping knows the class, but not this method at this line: it may belong to another build. Upload the "
    "mapping.txt of the build that crashed."
)
_LINE_MISSING = (
    "The frame has no line and the mapping no single method for it. Keep line numbers in the build "
    "(`-keepattributes SourceFile,LineNumberTable`)."
)


def _diagnosis(verdict: str, wanted: list[str], text: str) -> dict[str, object]:
    return {"verdict": verdict, "debug_ids": wanted, "text": text}


def _looks_written(module: str) -> bool:
    """Whether a class has a name that a person gave it: obfuscated ones have a letter or two."""
    return len(module.partition("$")[0].rpartition(".")[2]) > 2
