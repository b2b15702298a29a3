"""From the material of a report in JSON to its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from crashes.again.lacks import Lack
from crashes.reports.context import Context
from crashes.reports.facts import facts_of
from crashes.reports.in_app import InApp
from crashes.reports.json_frames import base_name, scrubbed
from crashes.reports.jvm import symbolicate_jvm
from crashes.reports.material import Given, GivenStack, Kind, Material
from crashes.reports.model import Outcome
from crashes.reports.native import symbolicate_native
from crashes.reports.scripts import symbolicate_scripts
from crashes.results import Frame, Module, Result, Thread
from crashes.scrubbing import scrub
from engine.outgoing import Deadline

MOST_ANNOTATION_BYTES: Final = 1 << 20
TOO_LARGE: Final = "[too large]"
_MOST_ANNOTATIONS: Final = 1000


def outcome_of(material: Material, context: Context, attributes: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """Symbolicate what can be symbolicated. Raises DeadlineExceeded."""
    material.bound()
    modules: list[Module] = []
    lacks: list[Lack] = []
    if material.has(Kind.NATIVE):
        modules, found = symbolicate_native(material, context, deadline)
        lacks += found
    if material.has(Kind.JAVASCRIPT):
        lacks += symbolicate_scripts(material, context, deadline)
    if material.has(Kind.JVM):
        lacks += symbolicate_jvm(material, context, deadline)
    deciding = context.in_app(module.code_file for module in modules if module.code_file)
    result = Result(
        material.platform,
        reason=material.reason or None,
        timestamp=material.timestamp,
        system=material.system,
        failures=material.failures,
        threads=[_thread(stack, deciding) for stack in material.stacks],
        modules=modules,
        annotations=material.annotations,
        problems=material.problems,
    )
    return Outcome(result, facts_of(result, attributes, material.version), tuple(lacks))


def annotations_of(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What a client sent of any shape, scrubbed; the largest members are left out when it is more than 1 MiB."""
    kept = dict(islice(values.items(), _MOST_ANNOTATIONS))
    sizes = {name: _size(value) for name, value in kept.items()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if total <= MOST_ANNOTATION_BYTES:
            break
        kept[name], total = TOO_LARGE, total - sizes[name]
    scrubbed_values: dict[str, Any] = scrub(kept, context.rules.secret_names)
    return scrubbed_values


def _size(value: Any) -> int:
    """About how long a value is as JSON."""
    try:
        return len(msgspec.json.encode(value))
    except (UnicodeError, RecursionError, OverflowError):
        return len(repr(value))


def _thread(stack: GivenStack, deciding: InApp) -> Thread:
    frames = [_marked(frame, given, deciding) for given in stack.frames for frame in given.frames]
    return Thread(frames, stack.id, stack.name, stack.crashed, stack.registers)


def _marked(frame: Frame, given: Given, deciding: InApp) -> Frame:
    """The frame, with whether it is the application's own: patterns first, then the client's word, then its place."""
    if given.kind is Kind.NATIVE or given.address is not None:
        ruled = deciding.ruled(frame.package)
        told = given.frame.in_app if ruled is None else ruled
        frame.in_app = deciding.native(frame.package) if told is None else told
        return frame
    file, package = frame.abs_path or frame.filename, frame.module or frame.package
    ruled = deciding.ruled(file, package)
    # Clients call a whole bundle the application's own, whatever it was made of.
    sent = None if given.kind is Kind.JAVASCRIPT and given.frame.in_app else given.frame.in_app
    told = sent if ruled is None else ruled
    frame.in_app = deciding.written(given.language, file, package) if told is None else told
    return _scrubbed(frame)


def _scrubbed(frame: Frame) -> Frame:
    """Addresses of scripts may hold passwords and tokens; now nothing is looked for by them any more."""
    for name in ("abs_path", "filename", "module", "package"):
        value = getattr(frame, name)
        if value:
            setattr(frame, name, scrubbed(value))
    frame.filename = frame.filename or base_name((frame.abs_path or "").partition("?")[0]) or None
    return frame
