"""Which store the operator chose."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from core.blobs.base import BlobStore
from core.blobs.local import SPOOL, LocalStore
from core.blobs.s3 import Bucket, S3Store
from engine.errors import SymbolsvcError
from engine.outgoing.amazon import S3Access

BLOBS: Final = "blobs"
_REGION: Final = "us-east-1"
_PARAMETERS: Final = frozenset({"region", "endpoint"})


class BadBlobStore(SymbolsvcError):
    """BLOB_STORE names no store."""

    code = "configuration"


def blob_store() -> BlobStore:
    """The store of this process, as the settings name it."""
    values = settings.ENVIRONMENT
    spelled = values["BLOB_STORE"], values["BLOB_STORE_ACCESS_KEY"], values["BLOB_STORE_SECRET_KEY"]
    return _opened(*spelled, Path(settings.DATA_DIR))


def open_store(text: str, access_key: str, secret_key: str, data_dir: Path) -> BlobStore:
    """The store that `text` names: a directory (empty: below `data_dir`), or `s3://bucket/prefix?region=…&endpoint=…`.

    Without an access key the credentials are those that the container's host offers. Connects to nothing. Raises
    BadBlobStore.
    """
    if "://" not in text:
        return LocalStore(Path(text).absolute() if text else data_dir / BLOBS)
    parts = urlsplit(text)
    given = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme != "s3" or not parts.netloc or parts.fragment or not given.keys() <= _PARAMETERS:
        raise BadBlobStore("BLOB_STORE: write a directory or s3://bucket/prefix?region=…&endpoint=…")
    region, endpoint = given.get("region", [_REGION])[-1], given.get("endpoint", [""])[-1]
    access = S3Access(region, endpoint, access_key, secret_key, container=not access_key)
    prefix = unquote(parts.path).strip("/")
    return S3Store(Bucket(access, parts.netloc, f"{prefix}/" if prefix else ""), data_dir / BLOBS / SPOOL)


@lru_cache(maxsize=4)
def _opened(text: str, access_key: str, secret_key: str, data_dir: Path) -> BlobStore:
    return open_store(text, access_key, secret_key, data_dir)


os.register_at_fork(after_in_child=_opened.cache_clear)
