"""Backtrace's reports in JSON. Types are as loose as the documentation's own sample: what does not fit is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crashes.loose_json import BadJson, read_json
from crashes.reports import failures, loose
from crashes.reports.context import Context
from crashes.reports.dumps import wanted_thread
from crashes.reports.facts import arch_name, system_name
from crashes.reports.json_frames import FrameReader, Language
from crashes.reports.material import GivenStack, Kind, Material
from crashes.reports.model import Outcome, UnreadableReport
from crashes.reports.sent import Sent
from crashes.reports.shaping import annotations_of, outcome_of
from crashes.results import System
from crashes.scrubbing import scrub_text
from debugfiles.taking.source_maps import symbolication_uuid
from engine.modules import DebugId, ModuleType
from engine.outgoing import Deadline

_MOST_THREADS: Final = 4096
_MOST_MODULES: Final = 4096
_NAME_LENGTH: Final = 200
_PLATFORMS: Final = {Kind.NATIVE: "native", Kind.JAVASCRIPT: "javascript", Kind.JVM: "jvm"}


def examine_json(sent: Sent, context: Context, deadline: Deadline) -> Outcome:
    """Raises UnreadableReport for what is no JSON object, BlobError, OSError and DeadlineExceeded."""
    report = read_object(sent.json())
    attributes = {**loose.mapping(report.get("attributes")), **sent.attributes}
    material = _material(report, attributes, context)
    material.timestamp = sent.occurred_at.timestamp() if sent.occurred_at else None
    choose_stack(material.stacks, wanted_thread(sent), report.get("mainThread"), report.get("entryThread"))
    material.failures = failures.of_report(report, attributes, sent.classifiers, material.stacks)
    return outcome_of(material, context, attributes, deadline)


def read_object(data: bytes) -> Mapping[str, Any]:
    """The object of a report, out of the `body` that older documentation wraps it in. Raises UnreadableReport."""
    try:
        report = read_json(data)
    except BadJson as error:
        raise UnreadableReport(f"The report cannot be read: {str(error).partition(':')[0]}.") from None
    if not isinstance(report, dict):
        raise UnreadableReport("The report cannot be read: it is no JSON object.")
    inner = report.get("body")
    wrapped = isinstance(inner, dict) and not any(name in report for name in ("threads", "attributes", "uuid"))
    return inner if wrapped and isinstance(inner, dict) else report


def choose_stack(stacks: list[GivenStack], *names: object) -> None:
    """Let one stack be the one that crashed.

    The first name that one of them has, if nothing else is said to have crashed; else the first of those that did, or
    the first of all. `names` begin with the one that decides in any case.
    """
    texts = [loose.text(name) for name in names]
    by_id = {stack.id: stack for stack in reversed(stacks)}
    faulting = [stack for stack in stacks if stack.crashed]
    named = [by_id[name] for name in texts[1:] if name in by_id]
    chosen = by_id.get(texts[0]) if texts[0] else None
    chosen = chosen or next((stack for stack in named if stack.crashed or not faulting), None)
    chosen = chosen or next(iter(faulting or stacks), None)
    for stack in stacks:
        stack.crashed = stack is chosen


def _material(report: Mapping[str, Any], attributes: Mapping[str, Any], context: Context) -> Material:
    language = Language.of(report.get("lang"), report.get("symbolication"))
    modules = _modules(report)
    reader = FrameReader(language, loose.mapping(report.get("sourceCode")), has_modules=bool(modules))
    stacks = _stacks(report, reader)
    material = Material(_platform(stacks, language), stacks, modules, reader.scripts)
    material.release = loose.text(attributes.get("release"), _NAME_LENGTH)
    material.dist = loose.text(attributes.get("dist"), 64)
    _use_symbolication_id(material, loose.text(attributes.get("symbolication_id"), _NAME_LENGTH))
    _leave_unnamed(material, asked=language.is_mapped)
    annotations = report.get("annotations")
    material.annotations = annotations_of(
        annotations if isinstance(annotations, dict) else {"annotations": annotations} if annotations else {}, context
    )
    material.system = _system(report, attributes)
    return material


def _stacks(report: Mapping[str, Any], reader: FrameReader) -> list[GivenStack]:
    threads = report.get("threads")
    if isinstance(threads, list):
        threads = {str(at): thread for at, thread in enumerate(threads)}
    listed = list(loose.mapping(threads).items())[:_MOST_THREADS]
    return [_stack(str(id), thread, reader) for id, thread in listed if isinstance(thread, Mapping)]


def _stack(id: str, thread: Mapping[str, Any], reader: FrameReader) -> GivenStack:
    frames = list(loose.items(thread.get("stack")))
    return GivenStack(
        [reader.read(frame) for frame in frames],
        id[:_NAME_LENGTH],
        scrub_text(loose.text(thread.get("name"), _NAME_LENGTH)),
        loose.flag(thread.get("fault")) is True,
        _registers(frames[0].get("registers") if frames else None),
    )


def _registers(value: Any) -> dict[str, str]:
    found = {}
    for name, given in list(loose.mapping(value).items())[:256]:
        number = loose.address(given)
        if number is not None:
            found[loose.text(name, 32)] = hex(number)
    return found


def _modules(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    modules = (_module(module) for module in loose.items(report.get("modules"), _MOST_MODULES))
    return [module for module in modules if module is not None]


def _module(given: Mapping[str, Any]) -> dict[str, Any] | None:
    start = loose.address(given.get("start"))
    if start is None:
        return None
    code_file = loose.text(given.get("code_file"))
    debug_id = DebugId.parse(loose.text(given.get("debug_identifier")).strip("{}"))
    said = {
        "type": module_type(code_file or loose.text(given.get("debug_file"))).value,
        "code_file": code_file,
        "code_id": loose.first_text(given.get("code_identifier"), given.get("code_id"), given.get("build_id")),
        "debug_file": loose.text(given.get("debug_file")),
        "debug_id": "" if debug_id is None else str(debug_id),
        "image_addr": start,
        "image_size": loose.address(given.get("size")),
    }
    return {name: value for name, value in said.items() if value not in ("", None)}


def module_type(path: str) -> ModuleType:
    """What a module is, as far as its path tells."""
    lowered = path.lower()
    if lowered.endswith((".dll", ".exe", ".pdb", ".sys", ".drv")) or lowered[1:3] == ":\\":
        return ModuleType.PE
    if lowered.endswith(".dylib") or ".app/" in lowered or ".framework/" in lowered:
        return ModuleType.MACHO
    return ModuleType.ELF if lowered.endswith(".so") or ".so." in lowered else ModuleType.UNKNOWN


def _platform(stacks: list[GivenStack], language: Language) -> str:
    """That of the frames of the crash, else the client's language."""
    crashed = next((stack for stack in stacks if stack.crashed), stacks[0] if stacks else None)
    kinds = [given.kind for given in crashed.frames] if crashed else []
    kind = kinds[0] if kinds else language.kind
    return _PLATFORMS.get(kind, language.name)


def _use_symbolication_id(material: Material, text: str) -> None:
    """An id that a client gives to the build as a whole: of its mapping, or of the map of its only script."""
    if not text:
        return
    debug_id = symbolication_uuid(text)
    if material.has(Kind.JVM):
        material.mappings.append(debug_id.uuid)
    for given in material.given():
        if given.kind is Kind.JAVASCRIPT and given.frame.abs_path:
            material.scripts.setdefault(given.frame.abs_path, str(debug_id))


def _leave_unnamed(material: Material, *, asked: bool) -> None:
    """Take those frames as they were sent for which there is nothing that anything could be found by."""
    for given in material.given():
        path = given.frame.abs_path or ""
        findable = asked or material.release or path in material.scripts or path.startswith(("http://", "https://"))
        if (given.kind is Kind.JAVASCRIPT and not findable) or (given.kind is Kind.JVM and not material.mappings):
            given.kind = Kind.SENT


def _system(report: Mapping[str, Any], attributes: Mapping[str, Any]) -> System:
    arch = loose.first_text(
        loose.mapping(report.get("arch")).get("name"), attributes.get("uname.machine"), attributes.get("cpu.arch")
    )
    name = loose.first_text(
        attributes.get("uname.sysname"), attributes.get("os.name"), attributes.get("browser.platform")
    )
    return System(
        os_name=scrub_text(system_name(name))[:_NAME_LENGTH],
        os_version=loose.first_text(attributes.get("uname.release"), attributes.get("os.version"))[:_NAME_LENGTH],
        cpu_arch=arch_name(arch)[:_NAME_LENGTH],
        device_model=loose.text(attributes.get("device.model"), _NAME_LENGTH),
    )
