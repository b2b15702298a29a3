"""What a child of the converter does, once, before it ends."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from symbolic.debuginfo import Archive
from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapView
from symbolic.sourcemapcache import SourceMapCache

from engine.convert.unwinding import features, make_cfi, unwind_checksum
from engine.convert.wire import (
    Broken,
    CheckSourceMap,
    Converted,
    Failed,
    Inspect,
    Inspected,
    MakeCfi,
    MakeSymcache,
    ObjectFacts,
    Reply,
    Request,
)
from engine.errors import FailureKind

MOST_OBJECTS = 64
REASON_LIMIT = 300
# Processor time for looking into a file and converting it in one job; what takes longer gets a job for each.
AT_ONCE_SECONDS = 10
_NATIVE = frozenset({"elf", "macho", "pdb", "pe", "breakpad"})
# Half of what those have who build what passed here: parsers of nested code take stack for every level.
CHECKED_STACK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use: memory in bytes besides the file itself, processor time and time by the clock in seconds."""

    memory_bytes: int = 4 * 1024**3
    cpu_seconds: int = 120
    wall_seconds: float = 180.0


def confine(limits: Limits, path: str) -> None:
    """Bind this process to the limits. Files are mapped, so their size comes on top of the memory."""
    size = os.path.getsize(path)
    memory = limits.memory_bytes + 2 * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def perform(request: Request) -> Reply:
    """Do the job; what is wrong with the file becomes part of the reply."""
    try:
        if isinstance(request, Inspect):
            return _inspect(request)
        if isinstance(request, CheckSourceMap):
            return _check_source_map(request)
        return make_cfi(request) if isinstance(request, MakeCfi) else _make_symcache(request)
    except MemoryError:
        return Failed(FailureKind.TOO_LARGE, "not enough memory for this file")
    except SymbolicError as error:
        return Failed(FailureKind.MALFORMED, str(error)[:REASON_LIMIT])
    except OSError as error:
        # Nothing is wrong with the file: the disk is full, say.
        return Broken(str(error)[:REASON_LIMIT])


def _inspect(request: Inspect) -> Inspected:
    if request.symcache:
        _hurry()
    archive = Archive.open(request.path)
    found, failure, total = [], None, archive.object_count
    for index in range(min(total, MOST_OBJECTS)):
        try:
            found.append(_facts(request.path, archive, index))
        except SymbolicError as error:
            # One bad slice does not spoil the others of a fat file.
            failure = error
    if failure is not None and not found:
        raise failure
    return Inspected(tuple(found), total, _made_on_the_way(request, archive, found))


def _hurry() -> None:
    """Take less processor time than allowed: whoever asked then asks again, for less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    least = AT_ONCE_SECONDS if soft == resource.RLIM_INFINITY else min(AT_ONCE_SECONDS, soft)
    resource.setrlimit(resource.RLIMIT_CPU, (least, hard))


def _made_on_the_way(request: Inspect, archive: Archive, found: list[ObjectFacts]) -> bool:
    """Whether the symcache was made. Why it could not be, the job says that makes nothing else."""
    if not request.symcache or archive.object_count != 1 or not found:
        return False
    if found[0].file_format not in _NATIVE or "debug" not in found[0].features:
        return False
    try:
        _write_symcache(archive, 0, request.symcache)
    except (SymbolicError, MemoryError, OSError):
        return False
    return True


def _facts(path: str, archive: Archive, index: int) -> ObjectFacts:
    obj = archive._get_object(index)
    return ObjectFacts(
        index=index,
        arch=obj.arch,
        debug_id=obj.debug_id,
        code_id=obj.code_id,
        file_format=obj.file_format,
        kind=obj.kind,
        features=features(path, obj),
        unwind_checksum=unwind_checksum(path, archive, obj),
    )


def _make_symcache(request: MakeSymcache) -> Reply:
    _write_symcache(Archive.open(request.path), request.index, request.out)
    return Converted()


def _write_symcache(archive: Archive, index: int, out: str) -> None:
    symcache = archive._get_object(index).make_symcache()
    with open(out, "r+b") as file:
        shutil.copyfileobj(symcache.open_stream(), file, 1 << 20)  # type: ignore[no-untyped-call]


def _check_source_map(request: CheckSourceMap) -> Reply:
    source, source_map = (Path(path).read_bytes() for path in (request.source, request.path))
    allowed = _address_space() + request.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_STACK, (CHECKED_STACK_BYTES, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    SourceMapCache.from_bytes(source, source_map).lookup(1, 1, 0)
    SourceMapView.from_json_bytes(source_map)
    return Converted()


def _address_space() -> int:
    """What this process has mapped, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
