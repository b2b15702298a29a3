"""The cache that several hosts share, as the operator configured it.

`SHARED_CACHE` has the form of an `s3` or `gcs` source: the bucket, a prefix, the credentials. What it says about
layout and filters means nothing here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from engine.caches import SharedCache
from engine.caches.shared import Shelter
from engine.caches.shelters import GcsShelter, S3Shelter
from engine.outgoing.amazon import S3Access
from engine.outgoing.google import READ_AND_WRITE, GoogleAccess
from engine.sourcetypes.config import BadSource, GcsConfig, S3Config, decode_sources

SPOOL: Final = "shared-spool"


def shared_cache(text: str, cache_dir: Path) -> SharedCache | None:
    """The cache that `text` (JSON) describes, None when it is empty. Raises BadSource, which names the field."""
    if not text.strip():
        return None
    shelter = _shelter(_read(text))
    return SharedCache(shelter, cache_dir / SPOOL)


def _read(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadSource("SHARED_CACHE", "must be a JSON object") from None


def _shelter(raw: dict[str, Any]) -> Shelter:
    (config,) = decode_sources([{"id": "shared", **raw}], operator=True)
    prefix = f"{config.prefix.strip('/')}/".lstrip("/") if isinstance(config, S3Config | GcsConfig) else ""
    if isinstance(config, S3Config):
        region, endpoint = (config.region, "") if isinstance(config.region, str) else config.region
        container = config.aws_credentials_provider == "container"
        access = S3Access(region, endpoint, config.access_key, config.secret_key, container)
        return S3Shelter(access, config.bucket, prefix)
    if isinstance(config, GcsConfig):
        google = GoogleAccess(config.client_email, config.private_key, config.bearer_token, READ_AND_WRITE)
        return GcsShelter(google, config.bucket, prefix)
    raise BadSource("SHARED_CACHE.type", "must be s3 or gcs")
