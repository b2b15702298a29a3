"""The source types, one folder each. A new type is a new folder and a line here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sources.types import app_store_connect, gcs, http, s3
from sources.types.base import Plain, SourceType

__all__ = ["SECRET_NAMES", "TYPES", "Plain", "SourceType"]

TYPES: Final = MappingProxyType({kind.name: kind for kind in (app_store_connect.TYPE, http.TYPE, gcs.TYPE, s3.TYPE)})

# Whatever a stored source claims to be, none of these is ever shown.
SECRET_NAMES: Final = frozenset().union(*(kind.secrets for kind in TYPES.values()))
