"""From a source's configuration to a source that can be asked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from engine.outgoing import Trust
from engine.sourcetypes.base import Opening, Source
from engine.sourcetypes.config import FilesConfig, HttpConfig, SourceConfig
from engine.sourcetypes.http import HttpSource
from engine.sourcetypes.unavailable import UnavailableSource

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
    if isinstance(config, HttpConfig):
        return HttpSource(config, opening)
    return UnavailableSource(config, cache_key=opening.cache_key)


def _cache_key(config: SourceConfig, owner: str, digest_key: bytes) -> str:
    """Differs whenever the owner or anything of the configuration differs, credentials included."""
    text = msgspec.json.encode([owner, config], order="deterministic")
    return hmac.new(digest_key, text, hashlib.sha256).hexdigest()
