"""The names of cached files: who may see a file is part of its name."""

from __future__ import annotations

import hashlib

GLOBAL_SCOPE = "global"


def location_key(*, scope: str, shared: bool, source_key: str, uri: str, checksum: str | None = None) -> str:
    """The key (64 hex digits) of one location of one source.

    `source_key` is the digest of the source's owner and whole configuration, `shared` puts the file where every scope
    finds it. `checksum` is what a server is told to verify, and so decides what it answers.
    """
    return derived_key("location", GLOBAL_SCOPE if shared else scope, source_key, uri, checksum or "")


def derived_key(*parts: str) -> str:
    """A key (64 hex digits) of several texts; no two different lists give the same."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.hexdigest()
