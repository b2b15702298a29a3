"""An Apple crash report as what a job is asked. The names that the report itself has for its frames are not used."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from engine.apple import AppleImage, AppleReport, AppleThread, parse_report
from engine.formats.bytewise import Data, mapped
from engine.modules import ModuleType
from engine.native.images import ImageIdentities
from engine.native.wire import Frame, Module, Options, SymbolicateRequest, Thread
from engine.run.asked import Asked, CrashFacts, SystemFacts
from engine.run.report_wire import ReportOptions


def read_apple(
    report: Path | Data, options: ReportOptions, identities: ImageIdentities, gate: AbstractContextManager[None]
) -> Asked:
    """Read a report at the gate. Raises BadReport."""
    data = _opened(report)
    with gate:
        return _asked(parse_report(data), options, identities)


def _opened(report: Path | Data) -> Data:
    if not isinstance(report, Path):
        return report
    with open(report, "rb") as file:
        return mapped(file)


def _asked(report: AppleReport, options: ReportOptions, identities: ImageIdentities) -> Asked:
    modules = [_module(image) for image in report.images]
    request = SymbolicateRequest(
        options.platform,
        None,
        None,
        [_thread(thread) for thread in report.threads],
        modules,
        [image.start for image in report.images],
        Options(dif_candidates=options.dif_candidates),
        options.scraping,
    )
    return Asked(request, [identities.get(module) for module in modules], _facts(report).head)


def _facts(report: AppleReport) -> CrashFacts:
    system = report.system
    return CrashFacts(
        report.timestamp,
        SystemFacts(system.os_name, system.os_version, system.os_build, system.cpu_arch, system.device_model),
        True,
        report.crash_reason,
        report.crash_details,
    )


def _module(image: AppleImage) -> Module:
    return Module(
        type=ModuleType.MACHO.value,
        code_id=image.uuid.hex if image.uuid else None,
        code_file=image.path,
        debug_id=str(image.uuid) if image.uuid else None,
        debug_file=image.path,
        image_addr=image.start,
        image_size=image.size or None,
    )


def _thread(thread: AppleThread) -> Thread:
    frames = [Frame(frame.address, package=frame.package) for frame in thread.frames]
    if thread.is_thrown and frames:
        frames[0].adjust_instruction_addr = True
    return Thread(
        frames,
        [frame.address for frame in thread.frames],
        {name: hex(value) for name, value in thread.registers.items()},
        not thread.is_thrown,
        thread.id,
        thread.name,
        thread.crashed,
    )
