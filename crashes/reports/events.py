"""Sentry's events in JSON, as the public description of their payload has them; every type may be another one.

Exceptions and frames come oldest first there, and are turned round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crashes.reports import loose
from crashes.reports.context import Context
from crashes.reports.dumps import wanted_thread
from crashes.reports.event_frames import EventFrames
from crashes.reports.event_images import Images
from crashes.reports.facts import arch_name, system_name
from crashes.reports.failures import failure
from crashes.reports.json_reports import choose_stack, read_object
from crashes.reports.material import GivenStack, Kind, Material
from crashes.reports.model import Outcome
from crashes.reports.sent import Sent
from crashes.reports.shaping import annotations_of, outcome_of
from crashes.results import Failure, System
from crashes.scrubbing.values import scrubbed_text
from engine.outgoing import Deadline

_MOST_EXCEPTIONS: Final = 50
_MOST_THREADS: Final = 4096
_NAME_LENGTH: Final = 200
_REASON_LENGTH: Final = 8192
_SHOWN: Final = ("level", "logger", "transaction", "contexts", "tags", "extra", "user", "request", "breadcrumbs", "sdk")
_PLATFORMS: Final = {
    "node": "javascript",
    "java": "jvm",
    "cocoa": "native",
    "c": "native",
    "objc": "native",
    "swift": "native",
}


def examine_event(sent: Sent, context: Context, deadline: Deadline) -> Outcome:
    """Raises UnreadableReport for what is no JSON object, BlobError, OSError and DeadlineExceeded."""
    event = read_object(sent.json())
    material = _material(event, context)
    material.timestamp = sent.occurred_at.timestamp() if sent.occurred_at else None
    wanted = wanted_thread(sent)
    if wanted:
        choose_stack(material.stacks, wanted)
    return outcome_of(material, context, sent.attributes, deadline)


def _material(event: Mapping[str, Any], context: Context) -> Material:
    platform = loose.text(event.get("platform"), 32).strip().lower()
    images = Images.of(loose.mapping(event.get("debug_meta")).get("images"))
    reader = EventFrames(platform, images)
    stacks, failures = _stacks(event, reader)
    material = Material(_PLATFORMS.get(platform, platform or "other"), stacks, images.native, images.scripts)
    material.failures = failures
    material.mappings, material.bundles = images.mappings, images.bundles
    material.release = loose.text(event.get("release"), 250)
    material.dist = loose.text(event.get("dist"), 64)
    material.version = material.release
    material.signal = _signal(event)
    material.reason = _message(event)
    material.system = _system(loose.mapping(event.get("contexts")))
    material.annotations = annotations_of({name: event[name] for name in _SHOWN if event.get(name)}, context)
    _leave_jvm(material)
    return material


def _stacks(event: Mapping[str, Any], reader: EventFrames) -> tuple[list[GivenStack], list[Failure]]:
    """The stacks of exceptions, the outermost first, then those of threads that no exception has brought."""
    stacks: list[GivenStack] = []
    failures: list[Failure] = []
    for given in list(_listed(event.get("exception"), _MOST_EXCEPTIONS))[::-1]:
        trace = given.get("stacktrace") or given.get("raw_stacktrace")
        at = None
        if isinstance(trace, Mapping):
            at = len(stacks)
            stack = reader.stack(trace, loose.text(given.get("thread_id"), _NAME_LENGTH))
            stack.crashed = not any(other.crashed for other in stacks)
            stacks.append(stack)
        failures.append(
            failure(
                loose.text(given.get("type")),
                loose.text(given.get("value")),
                module=loose.text(given.get("module")),
                stack=at,
            )
        )
    _add_threads(event, reader, stacks)
    trace = event.get("stacktrace")
    if isinstance(trace, Mapping) and not stacks:
        stacks.append(reader.stack(trace, ""))
        stacks[0].crashed = True
    return stacks, failures


def _add_threads(event: Mapping[str, Any], reader: EventFrames, stacks: list[GivenStack]) -> None:
    has_crashed = any(stack.crashed for stack in stacks)
    known = {stack.id: stack for stack in reversed(stacks) if stack.id}
    for given in _listed(event.get("threads"), _MOST_THREADS):
        id, name = loose.text(given.get("id"), _NAME_LENGTH), loose.text(given.get("name"), _NAME_LENGTH)
        if id in known:
            known[id].name = scrubbed_text(name)
            continue
        crashed = loose.flag(given.get("crashed")) is True
        trace = given.get("stacktrace") or given.get("raw_stacktrace")
        if not isinstance(trace, Mapping):
            _name_crashed(stacks, id, name, crashed=crashed)
            continue
        stack = reader.stack(trace, id)
        stack.name = scrubbed_text(name)
        stack.crashed = crashed and not has_crashed
        stacks.append(stack)
    _choose(event, stacks)


def _name_crashed(stacks: list[GivenStack], id: str, name: str, *, crashed: bool) -> None:
    """The thread that an exception without an id happened in."""
    if crashed and stacks and stacks[0].crashed and not stacks[0].id:
        stacks[0].id, stacks[0].name = id, scrubbed_text(name)


def _choose(event: Mapping[str, Any], stacks: list[GivenStack]) -> None:
    """Where nothing says that it crashed, the current thread did."""
    current = (thread for thread in _listed(event.get("threads"), _MOST_THREADS) if loose.flag(thread.get("current")))
    ids = [loose.text(thread.get("id"), _NAME_LENGTH) for thread in current]
    choose_stack(stacks, "", *ids)


def _listed(value: Any, most: int) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, of an object's `values`, or one alone."""
    if isinstance(value, Mapping) and "values" not in value and value:
        yield value
        return
    yield from loose.items(value, most)


def _leave_jvm(material: Material) -> None:
    """Frames of the JVM are as they were written where no mapping and no sources are named."""
    if not material.mappings and not material.bundles:
        for given in material.given():
            if given.kind is Kind.JVM:
                given.kind = Kind.SENT


def _signal(event: Mapping[str, Any]) -> int | None:
    for given in _listed(event.get("exception"), _MOST_EXCEPTIONS):
        meta = loose.mapping(loose.mapping(given.get("mechanism")).get("meta"))
        number = loose.line(loose.mapping(meta.get("signal")).get("number"))
        if number is not None:
            return number
    return None


def _message(event: Mapping[str, Any]) -> str:
    for value in (event.get("logentry"), event.get("message")):
        entry = loose.mapping(value)
        text = loose.first_text(entry.get("formatted"), entry.get("message"), value)
        if text:
            return scrubbed_text(text)[:_REASON_LENGTH]
    return ""


def _system(contexts: Mapping[str, Any]) -> System:
    system, device = loose.mapping(contexts.get("os")), loose.mapping(contexts.get("device"))
    said = {
        "os_name": system_name(loose.text(system.get("name"))),
        "os_version": loose.text(system.get("version")),
        "os_build": loose.text(system.get("build")),
        "cpu_arch": arch_name(loose.text(device.get("arch"))),
        "device_model": loose.text(device.get("model")),
    }
    return System(**{name: scrubbed_text(text)[:_NAME_LENGTH] for name, text in said.items()})
