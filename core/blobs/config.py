"""Which store the operator chose."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from core.blobs.base import BlobStore
from core.blobs.gcs import GcsBucket, GcsStore
from core.blobs.local import SPOOL, LocalStore
from core.blobs.s3 import Bucket, S3Store
from engine.errors import SymbolsvcError
from engine.outgoing.amazon import S3Access
from engine.outgoing.google import READ_AND_WRITE, STORAGE, GoogleAccess

BLOBS: Final = "blobs"
_REGION: Final = "us-east-1"
_PARAMETERS: Final = MappingProxyType({"s3": frozenset({"region", "endpoint"}), "gs": frozenset({"endpoint"})})
_USAGE: Final = "BLOB_STORE: write a directory, s3://bucket/prefix?region=…&endpoint=… or gs://bucket/prefix"


class BadBlobStore(SymbolsvcError):
    """BLOB_STORE names no store."""

    code = "configuration"


def blob_store() -> BlobStore:
    """The store of this process, as the settings name it."""
    values = settings.ENVIRONMENT
    spelled = values["BLOB_STORE"], values["BLOB_STORE_ACCESS_KEY"], values["BLOB_STORE_SECRET_KEY"]
    return _opened(*spelled, Path(settings.DATA_DIR))


def open_store(text: str, access_key: str, secret_key: str, data_dir: Path) -> BlobStore:
    """The store that `text` names: a directory (empty: below `data_dir`), or a bucket.

    `s3://bucket/prefix?region=…&endpoint=…`: without an access key the credentials are those that the container's host
    offers. `gs://bucket/prefix?endpoint=…`: the keys are the e-mail address of a service account and its private key.
    Connects to nothing. Raises BadBlobStore.
    """
    if "://" not in text:
        return LocalStore(Path(text).absolute() if text else data_dir / BLOBS)
    parts = urlsplit(text)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if not parts.netloc or parts.fragment or not given.keys() <= _PARAMETERS.get(parts.scheme, frozenset()):
        raise BadBlobStore(_USAGE)
    spool = data_dir / BLOBS / SPOOL
    path = unquote(parts.path).strip("/")
    prefix = f"{path}/" if path else ""
    if parts.scheme == "gs":
        return GcsStore(GcsBucket(_google(given, access_key, secret_key), parts.netloc, prefix), spool)
    if parts.scheme != "s3":
        raise BadBlobStore(_USAGE)
    region, endpoint = given.get("region", _REGION), given.get("endpoint", "")
    access = S3Access(region, endpoint, access_key, secret_key, container=not access_key)
    return S3Store(Bucket(access, parts.netloc, prefix), spool)


def _google(given: Mapping[str, str], client_email: str, private_key: str) -> GoogleAccess:
    """Without keys only an endpoint of one's own is of use, which may ask for none."""
    endpoint = given.get("endpoint", "").rstrip("/")
    if not endpoint and not (client_email and private_key):
        raise BadBlobStore("BLOB_STORE_ACCESS_KEY, BLOB_STORE_SECRET_KEY: give a service account's e-mail and its key")
    return GoogleAccess(client_email, private_key, scope=READ_AND_WRITE, storage=endpoint or STORAGE)


@lru_cache(maxsize=4)
def _opened(text: str, access_key: str, secret_key: str, data_dir: Path) -> BlobStore:
    return open_store(text, access_key, secret_key, data_dir)


os.register_at_fork(after_in_child=_opened.cache_clear)
