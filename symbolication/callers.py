"""Who asks for a symbolication, and what is asked for files on their behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from engine.run import Annotate
from projects.access import ProjectAccess
from symbolication.composing import Asker, Sources, project_sources, request_sources
from symbolication.rejections import Refused


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask for files, and who explains what came of it; `explain` asks the engine for diagnoses of its own."""

    sources: Sources
    annotate: Annotate | None = None
    explain: bool = False


class Caller(Protocol):
    """Who asks."""

    @property
    def asker(self) -> Asker:
        """For whom files are fetched."""
        ...

    def asking(self, sources: msgspec.Raw | None, *, absent: msgspec.Raw | None = None) -> Asking:
        """Whom to ask; `sources` is what the request says about it, `absent` what its silence means.

        Raises BadSource and Refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class RootCaller:
    """A caller of Symbolicator's own endpoints: with the sources of the request, or the configured ones."""

    asker: Asker

    def asking(self, sources: msgspec.Raw | None, *, absent: msgspec.Raw | None = None) -> Asking:
        """The sources that the request names; the configured ones where both are None. Raises BadSource."""
        return Asking(request_sources(absent if sources is None else sources, self.asker))


@dataclass(frozen=True, slots=True)
class ProjectCaller:
    """A caller of a project's endpoints: with its stored sources, and with explanations."""

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
        return Asking(opened.sources, opened.diagnoser.json, explain=True)
