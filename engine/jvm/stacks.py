"""Whole stack traces made readable: frames in the light of those that they called.

What is read from mappings is the frame for itself (`retrace`); outlines, rules for exceptions and synthesized methods
concern its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from engine.jvm.descriptors import descriptor_of, parse_signature
from engine.jvm.mapping import Mapping
from engine.jvm.retrace import Place, Retraced, Written, callsite_line, is_outline, retrace
from engine.jvm.wire import JvmException, JvmFrame, JvmStacktrace

# What is noted about a frame that no mapping, or only a part of one, explained.
Explain = Callable[[JvmFrame, Retraced | None], dict[str, object] | None]


@dataclass(frozen=True, slots=True)
class Retracer:
    """Makes stacks readable with the mappings of one request, asked in order.

    `explain` gives the diagnosis of a frame, None for requests that want none.
    """

    mappings: Sequence[Mapping]
    release_package: str | None = None
    explain: Explain | None = None

    def original_class(self, obfuscated: str) -> str | None:
        """The name that a class was written with, by the first mapping that knows it."""
        return next((name for mapping in self.mappings if (name := mapping.original_class(obfuscated))), None)

    def exception(self, given: JvmException) -> JvmException:
        """An exception by the name that was written, or as it came."""
        original = self.original_class(_dotted(given))
        if original is None:
            return given
        module, _, kind = original.rpartition(".")
        return JvmException(kind, module)

    def stack(self, given: JvmStacktrace, *, caller_first: bool) -> JvmStacktrace:
        """A readable stack, its frames in the order in which they came."""
        frames = list(reversed(given.frames)) if caller_first else given.frames
        made = _Walk(self, given.exception).frames(frames)
        if caller_first:
            made.reverse()
        return JvmStacktrace(made, self.exception(given.exception) if given.exception else None)


class _Walk:
    """One stack, innermost frame first."""

    def __init__(self, retracer: Retracer, exception: JvmException | None) -> None:
        self.retracer = retracer
        self.thrown = _descriptors(retracer, exception)
        self.outline_line: int | None = None
        self.is_first = True

    def frames(self, given: Sequence[JvmFrame]) -> list[JvmFrame]:
        made: list[JvmFrame] = []
        for frame in given:
            made += self._frame(frame)
        return made

    def _frame(self, frame: JvmFrame) -> list[JvmFrame]:
        place, readable = self._place(frame)
        if any(is_outline(mapping, place) for mapping in self.retracer.mappings):
            # What was outlined of an outline: the innermost line is what was written.
            self.outline_line = self._called_from(place)
            return []
        place = Place(place.owner, place.method, self._called_from(place), place.parameters)
        self.outline_line = None
        found = self._retraced(place)
        first, self.is_first = self.is_first, False
        if found is None:
            return [self._explained(_copied(frame, signature=readable), None)]
        return [
            self._explained(self._written(frame, each, readable), found)
            for each in _kept(found, self.thrown if first else frozenset())
            if not (each.synthesized and place.line is not None)
        ]

    def _place(self, frame: JvmFrame) -> tuple[Place, str | None]:
        """Where a frame is, and its signature in readable form."""
        signature = parse_signature(frame.signature, self.retracer.original_class) if frame.signature else None
        if signature is None or not self.retracer.mappings:
            return Place(frame.module, frame.function, frame.lineno, None), frame.signature
        return Place(frame.module, frame.function, frame.lineno, signature.key), str(signature)

    def _called_from(self, place: Place) -> int | None:
        """The line of a frame; where it called outlined code, the line that this was taken from."""
        if self.outline_line is None:
            return place.line
        for mapping in self.retracer.mappings:
            line = callsite_line(mapping, place, self.outline_line)
            if line is not None:
                return line
        return place.line

    def _retraced(self, place: Place) -> Retraced | None:
        return next((found for mapping in self.retracer.mappings if (found := retrace(mapping, place))), None)

    def _written(self, frame: JvmFrame, written: Written, signature: str | None) -> JvmFrame:
        in_app = frame.in_app
        package = self.retracer.release_package
        if in_app is None and package and written.owner.startswith(package):
            in_app = True
        return _copied(
            frame,
            module=written.owner,
            function=written.method,
            lineno=written.line,
            filename=written.file,
            abs_path=written.file,
            in_app=in_app,
            signature=signature,
            method_synthesized=written.synthesized,
        )

    def _explained(self, frame: JvmFrame, found: Retraced | None) -> JvmFrame:
        if self.retracer.explain is None or (found is not None and found.whole):
            return frame
        return _copied(frame, diagnosis=self.retracer.explain(frame, found))


def _kept(found: Retraced, thrown: frozenset[str]) -> Sequence[Written]:
    """The frames that the rules for the exception leave."""
    removed = sum(rule.remove_inner for rule in found.rewrites if set(rule.throws) <= thrown) if thrown else 0
    return found.frames[removed:]


def _descriptors(retracer: Retracer, exception: JvmException | None) -> frozenset[str]:
    """The descriptors that rules may call an exception by: as it ran, and as it was written."""
    if exception is None:
        return frozenset()
    names = {_dotted(exception), _dotted(retracer.exception(exception))}
    return frozenset(descriptor_of(name) for name in names)


def _dotted(exception: JvmException) -> str:
    return f"{exception.module}.{exception.type}" if exception.module else exception.type


def _copied(frame: JvmFrame, **changes: object) -> JvmFrame:
    return msgspec.structs.replace(frame, **changes)
