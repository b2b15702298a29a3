"""From a source's configuration to a source that can be asked."""

from __future__ import annotations

from engine.outgoing import Trust
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import SourceConfig


def open_source(config: SourceConfig, *, owner: str, trust: Trust, digest_key: bytes) -> Source:
    """The source that `config` describes, for `owner` (an organization, or `builtin` for the operator's).

    `digest_key` is the secret under which configurations are digested into cache keys. Connects to nothing.
    """
    raise NotImplementedError
