"""Whose sources and cached files are whose, readable from a cache key alone."""

from __future__ import annotations

import hashlib

OWNER_DIGITS = 16


def owner_tag(owner: str) -> str:
    """The digits with which the cache keys of all sources of an owner begin."""
    return hashlib.blake2b(owner.encode(), digest_size=OWNER_DIGITS // 2).hexdigest()
