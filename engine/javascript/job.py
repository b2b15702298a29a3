"""One request: acquire scripts and maps, look positions up, fix frames, fetch sources, and write the answer."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.errors import LookupFailure
from engine.javascript.acquisition import Acquisition, Artifact, Asker, FileKey
from engine.javascript.answers import Attempt, FrameError, sorted_attempts, sorted_errors
from engine.javascript.artifacts import Kind
from engine.javascript.context import Context
from engine.javascript.diagnosis import Verdict
from engine.javascript.explaining import Explainer
from engine.javascript.frames import Pass, cleaned, minified_position, missing_content, position_of, symbolicate_stack
from engine.javascript.inputs import Inputs, Place
from engine.javascript.maps import Position, SourceMaps
from engine.javascript.scraping import Door
from engine.javascript.scripts import Contexts, Script, load_script, resolve_positions
from engine.javascript.wire import Frame, JsRequest
from engine.native.gate import Gate
from engine.outgoing import Deadline


class _Stack(msgspec.Struct):
    frames: list[Frame]


class _Answer(msgspec.Struct, omit_defaults=True, tag_field="status", tag="completed"):
    stacktraces: list[_Stack]
    raw_stacktraces: list[_Stack]
    errors: list[dict[str, str | int | None]] | None = None
    scraping_attempts: list[Attempt] | None = None


class Job:
    """The work on one request."""

    def __init__(self, request: JsRequest, inputs: Inputs, maps: SourceMaps, contexts: Contexts, gate: Gate) -> None:
        self._request = request
        self._inputs = inputs
        self._maps = maps
        self._contexts = contexts
        self._gate = gate
        self._ids = {module.code_file: module.debug_id for module in reversed(request.modules)}
        self._scripts: dict[str, Script] = {}
        self._sources: dict[str, Artifact | LookupFailure] = {}
        self._errors: list[FrameError] = []

    def run(self, place: Place, door: Door, deadline: Deadline, *, explain: bool) -> bytes:
        """The JSON of the answer. Raises DeadlineExceeded."""
        request = self._request
        acquisition = Acquisition(Asker(self._inputs, place, door, deadline, request.release, request.dist))
        stacks = [self._begin(acquisition, frames) for frames in request.stacktraces]
        self._look_up(stacks, deadline)
        with self._gate:
            for stack in stacks:
                symbolicate_stack(stack, with_context=request.apply_source_context)
        for step in _each(stacks):
            self._finish(acquisition, step)
        if explain:
            explainer = Explainer(acquisition, place.provider)
            for step in _each(stacks):
                explainer.explain(step, self._sources)
        with self._gate:
            return self._encode(stacks, acquisition)

    def _begin(self, acquisition: Acquisition, frames: list[Frame]) -> list[Pass]:
        """The frames of a stack, the caller first, with their scripts."""
        ordered = reversed(frames) if self._request.callee_first else frames
        return [Pass.begin(cleaned(frame), self._script(acquisition, frame)) for frame in ordered]

    def _script(self, acquisition: Acquisition, frame: Frame) -> Script | None:
        """The script of a frame; None for frames without a line, for which nothing is fetched."""
        if not frame.lineno:
            return None
        path = frame.abs_path
        if path not in self._scripts:
            self._scripts[path] = load_script(acquisition, path, self._ids.get(path))
        return self._scripts[path]

    def _look_up(self, stacks: list[list[Pass]], deadline: Deadline) -> None:
        frames: dict[str, list[Frame]] = {}
        for step in _each(stacks):
            if step.script is not None:
                frames.setdefault(step.script.abs_path, []).append(step.raw)
        for path, found in frames.items():
            script = self._scripts[path]
            resolve_positions(script, {position_of(frame) for frame in found}, self._maps, deadline)
            if self._request.apply_source_context:
                self._add_contexts(script, found)

    def _add_contexts(self, script: Script, frames: list[Frame]) -> None:
        if script.source is None:
            return
        for position in {minified_position(frame) for frame in frames}:
            script.contexts[position] = self._around(script.source, position)

    def _finish(self, acquisition: Acquisition, step: Pass) -> None:
        """Add the source context of a map without sources, and note the frame's error."""
        if step.error is not None:
            self._errors.append(step.error)
        if step.source_wanted is None or step.token is None:
            return
        source = self._source(acquisition, step.source_wanted)
        if isinstance(source, LookupFailure):
            step.verdict = Verdict.SOURCE_MISSING
            self._errors.append(missing_content(step))
            return
        context = self._around(source, (step.token.line, step.token.column))
        if context is None:
            step.verdict = Verdict.LINE_OUT_OF_RANGE
        else:
            context.put_into(step.frame)

    def _around(self, file: Artifact, position: Position) -> Context | None:
        """The lines around a position; None also when the file vanished since it was acquired."""
        try:
            return self._contexts.around(file.text, *position)
        except (LookupFailure, OSError):
            return None

    def _source(self, acquisition: Acquisition, path: str) -> Artifact | LookupFailure:
        if path not in self._sources:
            try:
                self._sources[path] = acquisition.acquire(FileKey(Kind.SOURCE, path))
            except LookupFailure as failure:
                self._sources[path] = failure
        return self._sources[path]

    def _encode(self, stacks: list[list[Pass]], acquisition: Acquisition) -> bytes:
        answer = _Answer(
            [self._stack([step.frame for step in stack]) for stack in stacks],
            [self._stack([step.raw for step in stack]) for stack in stacks],
            sorted_errors(self._errors) or None,
            sorted_attempts(acquisition.attempts) or None,
        )
        return msgspec.json.encode(answer)

    def _stack(self, frames: list[Frame]) -> _Stack:
        return _Stack(frames[::-1] if self._request.callee_first else frames)


def _each(stacks: list[list[Pass]]) -> Iterator[Pass]:
    for stack in stacks:
        yield from stack
