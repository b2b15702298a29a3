"""Who asks for a symbolication, and what is asked for files on their behalf."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Final, Protocol

import msgspec

from debugfiles.composing import (
    Asker,
    ProjectSources,
    Recent,
    Sources,
    project_sources,
    request_artifacts,
    request_sources,
)
from debugfiles.providers import project_artifacts
from debugfiles.scraping import scraping_of
from engine.javascript.artifacts import ArtifactProvider
from engine.javascript.wire import JsRequest, ScrapingRules
from engine.run import Annotate
from projects.access import ProjectAccess
from sources.statistics import note
from symbolication.diagnosing import Diagnoser
from symbolication.rejections import Refused

_NOTHING: Final = msgspec.Raw(b"null")
_of_projects: Final[Recent[ProjectSources, Diagnoser]] = Recent(256)


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask for files, and who explains what came of it; `explain` asks the engine for diagnoses of its own."""

    sources: Sources
    annotate: Annotate | None = None
    explain: bool = False


class Caller(Protocol):
    """Who asks."""

    # Whether files and artifacts are those stored for a project, and answers come with explanations.
    stored: ClassVar[bool]

    @property
    def asker(self) -> Asker:
        """For whom files are fetched."""
        ...

    def asking(self, sources: msgspec.Raw | None, *, absent: msgspec.Raw | None = None) -> Asking:
        """Whom to ask; `sources` is what the request says about it, `absent` what its silence means.

        Raises BadSource and Refused.
        """
        ...

    def artifacts(self, request: JsRequest) -> Artifacts:
        """Where the artifacts of a request for JavaScript are. Raises BadSchema."""
        ...


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where a request's artifacts are, and what may be fetched from the web."""

    provider: ArtifactProvider
    scraping: ScrapingRules


@dataclass(frozen=True, slots=True)
class RootCaller:
    """A caller of Symbolicator's own endpoints: with the sources of the request, or the configured ones."""

    stored: ClassVar[bool] = False
    asker: Asker

    def asking(self, sources: msgspec.Raw | None, *, absent: msgspec.Raw | None = None) -> Asking:
        """The sources that the request names; the configured ones where both are None. Raises BadSource."""
        return Asking(request_sources(absent if sources is None else sources, self.asker))

    def artifacts(self, request: JsRequest) -> Artifacts:
        """On the server that the request names. Raises BadSchema."""
        return Artifacts(request_artifacts(request.source or _NOTHING, self.asker), request.scraping)


@dataclass(frozen=True, slots=True)
class ProjectCaller:
    """A caller of a project's endpoints: with its stored sources, and with explanations."""

    stored: ClassVar[bool] = True
    access: ProjectAccess

    @property
    def asker(self) -> Asker:
        """The project's organization."""
        return Asker.of(self.access.organization)

    def asking(self, sources: msgspec.Raw | None, *, absent: msgspec.Raw | None = None) -> Asking:
        """The stored sources. Raises Refused when the request names some."""
        if sources is not None:
            raise Refused(400, "sources: the project's stored sources are used; leave this field out")
        opened = project_sources(self.access)
        diagnoser = _diagnoser_of(opened, self.access.project.pk)
        return Asking(opened.sources, diagnoser.json, explain=True)

    def artifacts(self, request: JsRequest) -> Artifacts:
        """Those of the project, with its own rules for the web, which a request can only make stricter."""
        rules = scraping_of(self.access)
        allowed = rules.enabled and request.scraping.enabled
        return Artifacts(project_artifacts(self.access), replace(rules, enabled=allowed))


def _diagnoser_of(opened: ProjectSources, project_id: int) -> Diagnoser:
    """The one diagnoser of a project's sources, while they stay the same. What it sees of sources is counted."""
    return _of_projects.get(opened, lambda: Diagnoser(opened.asked, opened.unasked, partial(note, project_id)))
