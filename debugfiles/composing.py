"""Which sources a lookup asks: a request's own, the operator's defaults, or the stored ones of a project.

Opened sources are kept in the process while what they are made of stays the same: opening digests whole configurations,
and an open source keeps its connections. They hold credentials in memory, never in a repr.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Generic, Self, TypeVar

import msgspec
from django.conf import settings
from django.utils.crypto import salted_hmac

from debugfiles.providers import SOURCE_ID, SOURCE_NAME, project_files
from engine.javascript.artifacts import ArtifactProvider
from engine.javascript.sentry_artifacts import open_artifacts
from engine.lookup.diagnosis import Asked, Unasked
from engine.outgoing import Trust
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import SourceConfig, decode_sources
from engine.sourcetypes.registry import BUILTIN, open_source
from projects.access import ProjectAccess
from projects.models import Organization
from sources.composition import compose, owner_of
from sources.defaults import default_sources

ANONYMOUS: Final = "anonymous"
_KEPT: Final = 256
# Longer lists of sources are opened for each request.
_KEPT_BYTES: Final = 64 * 1024

Sources = tuple[Source, ...]
Key = TypeVar("Key", bound=Hashable)
Opened = TypeVar("Opened")


class Recent(Generic[Key, Opened]):
    """The sources opened last, by what they were made of. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._mutex = threading.Lock()
        self._kept: OrderedDict[Key, Opened] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Opened]) -> Opened:
        """What is kept under `key`, else what `make` gives. Two threads may make the same thing at once."""
        with self._mutex:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._mutex:
            self._kept[key] = made
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom sources are opened: whose caches they use, and which reserved addresses they may reach."""

    organization_id: int | None
    slug: str | None

    @classmethod
    def of(cls, organization: Organization | None) -> Self:
        """None stands for a request without a token."""
        return cls(None, None) if organization is None else cls(organization.id, organization.slug)

    @property
    def owner(self) -> str:
        """The owner of the cached files."""
        return ANONYMOUS if self.organization_id is None else owner_of(self.organization_id)

    @property
    def trust(self) -> Trust:
        """Which reserved addresses what is fetched for this asker may lie at."""
        return _trust(settings.ENVIRONMENT["ALLOWED_SOURCE_NETWORKS"], self.slug)


_of_requests: Recent[tuple[Asker, bytes], Sources] = Recent(_KEPT)


def request_sources(raw: msgspec.Raw | None, asker: Asker) -> Sources:
    """The sources that a request names, or the operator's defaults when `raw` is None (`[]` asks none).

    Raises BadSource for what is malformed or the operator's alone.
    """
    if raw is None:
        return opened_defaults()
    text = bytes(raw)

    def make() -> Sources:
        trust = asker.trust
        return tuple(_open(config, asker.owner, trust) for config in decode_sources(text, operator=False))

    return _of_requests.get((asker, text), make) if len(text) <= _KEPT_BYTES else make()


def request_artifacts(source: msgspec.Raw, asker: Asker) -> ArtifactProvider:
    """The artifacts of the server that a request names. Raises BadSchema."""
    return open_artifacts(source, owner=asker.owner, trust=asker.trust, digest_key=_digest_key())


@dataclass(frozen=True, slots=True, eq=False)
class ProjectSources:
    """What a project's lookups ask, and what is to be said about it; the same object while nothing about it changes."""

    sources: Sources
    asked: tuple[Asked, ...]
    unasked: tuple[Unasked, ...]


def project_sources(opened: ProjectAccess) -> ProjectSources:
    """The files uploaded to a project, and its stored sources: its own, its organization's, the built-in ones it uses.

    A project without uploads does not ask for them: its answers are spared the rows of a source that nobody uses.
    """
    project, organization = opened.project, opened.organization
    uploads = project_files(opened)

    def make() -> ProjectSources:
        trusts = {BUILTIN: Trust.ALL}
        default = Asker.of(organization).trust
        composed = compose(opened)
        stored = [_open(item.config, item.owner, trusts.get(item.owner, default)) for item in composed.sources]
        asked = tuple(Asked(item.id, item.name, item.config) for item in composed.sources)
        left_out = tuple(Unasked(item.id, item.name, item.reason) for item in composed.skipped)
        return ProjectSources(tuple(stored), asked, left_out)

    def with_uploads() -> ProjectSources:
        stored = _of_projects.get(key, make)
        own = Asked(SOURCE_ID, SOURCE_NAME, None)
        return ProjectSources((uploads, *stored.sources), (own, *stored.asked), stored.unasked)

    key = (
        project.pk,
        project.sources_revision,
        tuple(project.builtin_sources),
        organization.pk,
        organization.sources_revision,
        organization.slug,
    )
    return _of_projects.get(key, make) if uploads.empty else _of_projects.get((*key, uploads.revision), with_uploads)


_of_projects: Recent[tuple[Hashable, ...], ProjectSources] = Recent(_KEPT)


@lru_cache(maxsize=1)
def opened_defaults() -> Sources:
    """The operator's default sources. Raises BadConfiguration."""
    return tuple(_open(config, BUILTIN, Trust.ALL) for config in default_sources())


@lru_cache(maxsize=_KEPT)
def _trust(words: tuple[str, ...], slug: str | None) -> Trust:
    return Trust.parse(words, slug)


def _open(config: SourceConfig, owner: str, trust: Trust) -> Source:
    never_block = settings.ENVIRONMENT["DENY_LIST_NEVER_BLOCK_HOSTS"]
    return open_source(config, owner=owner, trust=trust, digest_key=_digest_key(), never_block=never_block)


@lru_cache(maxsize=1)
def _digest_key() -> bytes:
    """The same on every host that shares SECRET_KEY, and of no use for signing."""
    return salted_hmac("symbolication.cache_keys", "", algorithm="sha256").digest()
