"""Symbolication with what is stored for a project, for callers within the service.

What comes back is the JSON of an answer, as the project's endpoints give it, and what the lookups of native modules
found, as typed data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from engine.formats.bytewise import Data
from engine.javascript.wire import JsRequest
from engine.jvm.wire import JvmRequest
from engine.lookup.model import CficacheAnswer, SymcacheAnswer
from engine.modules import Wanted
from engine.native.wire import SymbolicateRequest
from engine.outgoing import Deadline
from engine.run import Annotate, ReportOptions
from projects.access import SYSTEM, ProjectAccess
from projects.models import Project
from symbolication import runtime
from symbolication.callers import Asking, ProjectCaller
from symbolication.diagnosing import ModuleDiagnosis
from symbolication.query import DEFAULT_SCOPE

_OPTIONS: Final = ReportOptions()


class _Member(msgspec.Struct):
    diagnosis: ModuleDiagnosis | None = None


_members: Final = msgspec.json.Decoder(_Member)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of one module: `names` is None without frames in it, `rules` without stacks unwound through it.

    `member` is the JSON that the answer says about it, as a member of an object; empty where there is nothing to say.
    """

    wanted: Wanted
    names: SymcacheAnswer | None
    rules: CficacheAnswer | None
    member: str = ""

    @property
    def diagnosis(self) -> ModuleDiagnosis | None:
        """What is to be said about it."""
        return _members.decode(f"{{{self.member[1:]}}}").diagnosis if self.member else None


@dataclass(frozen=True, slots=True)
class Answered:
    """The JSON of a completed answer, and the modules of native stacks that were looked up, each once."""

    body: bytes
    looked: tuple[Looked, ...] = ()


@dataclass(slots=True)
class _Watching:
    """Writes down what the engine found of modules while it is explained."""

    annotate: Annotate | None
    seen: dict[str, Looked] = field(default_factory=dict)

    def __call__(
        self,
        key: str,
        wanted: Wanted,
        names: SymcacheAnswer | None,
        everything: bool,
        rules: CficacheAnswer | None,
    ) -> str:
        member = self.annotate(key, wanted, names, everything, rules) if self.annotate else ""
        self.seen[key] = Looked(wanted, names, rules, member)
        return member


def access_of(project: Project) -> ProjectAccess:
    """The project, opened by the service itself."""
    return ProjectAccess(project.organization, project, SYSTEM, frozenset())


def minidump(access: ProjectAccess, dump: Path | Data, deadline: Deadline) -> Answered:
    """A minidump: its path, or its bytes, which must not change meanwhile.

    Raises BadReport for what is no minidump, OSError when it cannot be read, and DeadlineExceeded.
    """
    caller, asking, watching = _asked(access)
    body = runtime.engine().minidump(
        dump,
        _OPTIONS,
        asking.sources,
        scope=DEFAULT_SCOPE,
        deadline=deadline,
        trust=caller.asker.trust,
        annotate=watching,
        explain=True,
    )
    return Answered(body, tuple(watching.seen.values()))


def apple(access: ProjectAccess, report: Path | Data, deadline: Deadline) -> Answered:
    """A crash report of Apple's or PLCrashReporter's. Raises as `minidump`."""
    caller, asking, watching = _asked(access)
    body = runtime.engine().apple(
        report,
        _OPTIONS,
        asking.sources,
        scope=DEFAULT_SCOPE,
        deadline=deadline,
        trust=caller.asker.trust,
        annotate=watching,
        explain=True,
    )
    return Answered(body, tuple(watching.seen.values()))


def native(access: ProjectAccess, request: SymbolicateRequest, deadline: Deadline) -> Answered:
    """Native stacks; the request names no sources. Raises DeadlineExceeded."""
    caller, asking, watching = _asked(access)
    body = runtime.engine().symbolicate(
        request,
        asking.sources,
        scope=DEFAULT_SCOPE,
        deadline=deadline,
        trust=caller.asker.trust,
        annotate=watching,
    )
    return Answered(body, tuple(watching.seen.values()))


def javascript(access: ProjectAccess, request: JsRequest, deadline: Deadline) -> Answered:
    """JavaScript stacks; the request's frames are changed. Raises DeadlineExceeded."""
    caller = ProjectCaller(access)
    artifacts = caller.artifacts(request)
    body = runtime.javascript().symbolicate(
        request,
        artifacts.provider,
        scope=DEFAULT_SCOPE,
        deadline=deadline,
        trust=caller.asker.trust,
        scraping=artifacts.scraping,
        explain=True,
    )
    return Answered(body)


def jvm(access: ProjectAccess, request: JvmRequest, deadline: Deadline) -> Answered:
    """JVM stacks; the request names no sources. Raises DeadlineExceeded."""
    asking = ProjectCaller(access).asking(None)
    body = runtime.jvm().symbolicate(request, asking.sources, scope=DEFAULT_SCOPE, deadline=deadline, explain=True)
    return Answered(body)


def _asked(access: ProjectAccess) -> tuple[ProjectCaller, Asking, _Watching]:
    caller = ProjectCaller(access)
    asking = caller.asking(None)
    return caller, asking, _Watching(asking.annotate)
