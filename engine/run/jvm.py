"""JVM stacks, from a decoded request to the JSON of the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from engine.caches import Miss
from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import mapped
from engine.formats.source_bundle import SourceBundle
from engine.jvm.explain import Explainer
from engine.jvm.mapping import Mapping, check_mapping
from engine.jvm.sources import with_context
from engine.jvm.stacks import Retracer
from engine.jvm.wire import JvmAnswer, JvmError, JvmFrame, JvmModule, JvmRequest, JvmStacktrace
from engine.lookup.crew import run_all
from engine.lookup.plain_files import PlainFile
from engine.lookup.single_files import SingleFile, find_file
from engine.lookup.store import Store
from engine.modules import DebugId, ModuleType, Wanted
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source

_MAPPING = SingleFile(FileType.PROGUARD, 2 << 30, check_mapping)
_BUNDLE = SingleFile(FileType.SOURCE_BUNDLE, 2 << 30, SourceBundle)
_KINDS = {"proguard": _MAPPING, "source": _BUNDLE}
_MAPPINGS_BYTES = 256 << 20
_BUNDLES_BYTES = 64 << 20
_BUNDLE_BYTES = 1 << 20
_REASONS = {
    FailureKind.MALFORMED: "is no mapping that can be read. Upload the mapping.txt of this build again.",
    FailureKind.TOO_LARGE: "is larger than the service reads.",
    FailureKind.REFUSED: "was refused by its source: check the source's credentials.",
    FailureKind.UNREACHABLE: "lies on a source that could not be reached: test the source, then try again.",
    FailureKind.TIMED_OUT: "lies on a source that did not answer in time: test the source, then try again.",
    FailureKind.NOT_CONFIGURED: "lies on a source that is not fully configured.",
}
_NOT_FOUND = "was not found. Upload the mapping.txt of this build under that id."
_log = logging.getLogger(__name__)

Reader = TypeVar("Reader", bound="_Sized")


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Bundle:
    reader: SourceBundle
    size: int = _BUNDLE_BYTES


@dataclass(frozen=True, slots=True)
class _Files:
    """What became of each module of a request, in its order."""

    modules: Sequence[JvmModule]
    found: Sequence[PlainFile | Miss | None]

    def usable(self, kind: str) -> list[tuple[UUID, PlainFile]]:
        pairs = zip(self.modules, self.found, strict=True)
        return [(module.uuid, file) for module, file in pairs if module.type == kind and isinstance(file, PlainFile)]

    def lacking(self) -> list[tuple[UUID, Miss | None]]:
        """The mappings that could not be had, with the reason where there is one."""
        pairs = zip(self.modules, self.found, strict=True)
        return [
            (module.uuid, file)
            for module, file in pairs
            if module.type == "proguard" and not isinstance(file, PlainFile)
        ]


class _Opened(Generic[Reader]):
    """Readers by the identity of their files; each is made once at a time."""

    def __init__(self, limit: int) -> None:
        self._kept: TwoGenerations[str, Reader] = TwoGenerations(limit)
        self._making = Lock()

    def get(self, file: PlainFile, make: partial[Reader]) -> Reader:
        """Raises what `make` raises."""
        known = self._kept.get(file.identity)
        if known is not None:
            return known
        with self._making:
            known = self._kept.get(file.identity)
            if known is None:
                known = make()
                self._kept.put(file.identity, known, known.size)
            return known


class JvmEngine:
    """Makes JVM stacks readable, and remembers the mappings it read. Safe to use from several threads."""

    def __init__(self, store: Store, gate: AbstractContextManager[None]) -> None:
        self._store = store
        self._gate = gate
        self._mappings: _Opened[Mapping] = _Opened(_MAPPINGS_BYTES)
        self._bundles: _Opened[_Bundle] = _Opened(_BUNDLES_BYTES)

    def symbolicate(
        self, request: JvmRequest, sources: Sequence[Source], *, scope: str, deadline: Deadline, explain: bool = False
    ) -> bytes:
        """The JSON of a `completed` answer. Raises DeadlineExceeded; any other failure shows in `errors`."""
        tasks = [partial(self._find, module, sources, scope, deadline) for module in request.modules]
        files = _Files(request.modules, run_all(tasks, deadline) if tasks else [])
        mappings, errors = self._open_mappings(files)
        reasons = {uuid: _reason(miss) for uuid, miss in files.lacking()}
        explainer = Explainer(request.modules, mappings, reasons) if explain else None
        retracer = Retracer(mappings, request.release_package, explainer)
        with self._gate:
            answer = _answer(request, retracer, errors)
        if request.with_context:
            self._add_context(answer.stacktraces, files)
        return msgspec.json.encode(answer)

    def _find(
        self, module: JvmModule, sources: Sequence[Source], scope: str, deadline: Deadline
    ) -> PlainFile | Miss | None:
        wanted = Wanted(ModuleType.UNKNOWN, debug_id=DebugId(module.uuid))
        return find_file(_KINDS[module.type], wanted, sources, scope=scope, store=self._store, deadline=deadline)

    def _open_mappings(self, files: _Files) -> tuple[list[Mapping], list[JvmError]]:
        """The usable mappings and the errors, each in the order of the request."""
        opened: dict[UUID, Mapping] = {}
        for uuid, file in files.usable("proguard"):
            try:
                opened[uuid] = self._mappings.get(file, partial(self._read_mapping, file))
            except (OSError, LookupFailure):
                _log.exception("a mapping cannot be read", extra={"uuid": str(uuid)})
        missed = dict(files.lacking())
        uuids = [module.uuid for module in files.modules if module.type == "proguard"]
        return list(opened.values()), [_error(uuid, missed.get(uuid)) for uuid in uuids if uuid not in opened]

    def _read_mapping(self, file: PlainFile) -> Mapping:
        with open(file.path, "rb") as opened:
            data = mapped(opened)
        with self._gate:
            return Mapping(data)

    def _add_context(self, stacks: Sequence[JvmStacktrace], files: _Files) -> None:
        bundles = []
        for uuid, file in files.usable("source"):
            try:
                bundles.append(self._bundles.get(file, partial(_read_bundle, file)).reader)
            except (OSError, LookupFailure):
                _log.exception("a source bundle cannot be read", extra={"uuid": str(uuid)})
        if bundles:
            for stack in stacks:
                stack.frames = [_in_context(frame, bundles) for frame in stack.frames]


def _in_context(frame: JvmFrame, bundles: Sequence[SourceBundle]) -> JvmFrame:
    try:
        return with_context(frame, bundles)
    except LookupFailure:
        # A damaged member costs its own lines only.
        return frame


def _read_bundle(file: PlainFile) -> _Bundle:
    with open(file.path, "rb") as opened:
        return _Bundle(SourceBundle(mapped(opened)))


def _answer(request: JvmRequest, retracer: Retracer, errors: list[JvmError]) -> JvmAnswer:
    classes = {name: written for name in request.classes if (written := retracer.original_class(name))}
    return JvmAnswer(
        status="completed",
        exceptions=[retracer.exception(each) for each in request.exceptions],
        stacktraces=[retracer.stack(stack, caller_first=request.caller_first) for stack in request.stacktraces],
        classes=classes,
        errors=errors,
    )


def _error(uuid: UUID, miss: Miss | None) -> JvmError:
    return JvmError(uuid, "invalid" if miss is not None and miss.kind is FailureKind.MALFORMED else "missing")


def _reason(miss: Miss | None) -> str:
    return _NOT_FOUND if miss is None else _REASONS.get(miss.kind, _NOT_FOUND)
