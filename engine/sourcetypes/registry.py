"""From a source's configuration to a source that can be asked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from engine.outgoing import Trust
from engine.owners import owner_tag
from engine.sourcetypes.base import Opening, Source
from engine.sourcetypes.config import (
    FilesConfig,
    FilesystemConfig,
    GcsConfig,
    HttpConfig,
    S3Config,
    SentryConfig,
    SourceConfig,
)
from engine.sourcetypes.filesystem import FilesystemSource
from engine.sourcetypes.gcs import GcsSource
from engine.sourcetypes.http import HttpSource
from engine.sourcetypes.s3 import S3Source
from engine.sourcetypes.sentry import SentrySource

# The owner of the sources that the operator set up for everybody.
BUILTIN = "builtin"


def open_source(
    config: SourceConfig, *, owner: str, trust: Trust, digest_key: bytes, never_block: Iterable[str] = ()
) -> Source:
    """The source that `config` describes, for `owner` (an organization, or `builtin` for the operator's).

    `digest_key` is the secret under which configurations are digested into cache keys. Hosts named in `never_block`
    are asked however often they fail. Connects to nothing.
    """
    opening = Opening(
        owner=owner,
        cache_key=_cache_key(config, owner, digest_key),
        shared=isinstance(config, FilesConfig) and config.is_public and owner == BUILTIN,
        trust=trust,
        never_block=frozenset(host.lower() for host in never_block),
    )
    match config:
        case HttpConfig():
            return HttpSource(config, opening)
        case S3Config():
            return S3Source(config, opening)
        case GcsConfig():
            return GcsSource(config, opening)
        case SentryConfig():
            return SentrySource(config, opening)
        case FilesystemConfig():
            return FilesystemSource(config, opening)


def _cache_key(config: SourceConfig, owner: str, digest_key: bytes) -> str:
    """Differs whenever the owner or anything of the configuration differs, credentials included.

    It begins with the tag of the owner, by which an owner's cached files are found.
    """
    text = msgspec.json.encode([owner, config], order="deterministic")
    return owner_tag(owner) + hmac.new(digest_key, text, hashlib.sha256).hexdigest()
