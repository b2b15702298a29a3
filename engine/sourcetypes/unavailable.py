"""Sources that are configured correctly but cannot be read here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from engine.errors import FailureKind
from engine.modules import Wanted
from engine.outgoing import Deadline, PassingFailure
from engine.sourcetypes.base import NEVER, FileType, Location
from engine.sourcetypes.config import FilesystemConfig, GcsConfig, S3Config, SentryConfig
from engine.sourcetypes.filters import wanted_paths

UnavailableConfig = S3Config | GcsConfig | SentryConfig | FilesystemConfig
_TYPES = {S3Config: "s3", GcsConfig: "gcs", SentryConfig: "sentry", FilesystemConfig: "filesystem"}


class UnavailableSource:
    """Names the places where files could lie, and says of each that it cannot be read.

    So a request that names such a source is valid, and its answer shows why nothing came of it.
    """

    shared = False
    asks_first = False

    def __init__(self, config: UnavailableConfig, *, cache_key: str) -> None:
        self.id = config.id
        self.cache_key = cache_key
        self._config = config

    def __repr__(self) -> str:
        return f"<UnavailableSource {self.id!r}>"

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """The places by the rules of the configured layout; one for a source that lists its files itself."""
        if isinstance(self._config, SentryConfig):
            known = wanted.debug_id is not None or wanted.code_id is not None
            return [(file_type, Location("", "sentry://project_debug_file/")) for file_type in file_types[:1] if known]
        paths = wanted_paths(self._config.filters, self._config.layout, wanted, file_types)
        start = _place(self._config)
        return [(file_type, Location(path, f"{start}/{path}")) for file_type, path in paths]

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Always raises LookupFailure."""
        name = _TYPES[type(self._config)]
        raise PassingFailure(FailureKind.NOT_CONFIGURED, f"not configured: {name} sources cannot be read yet")


def _place(config: S3Config | GcsConfig | FilesystemConfig) -> str:
    if isinstance(config, FilesystemConfig):
        return f"file://{config.path.rstrip('/')}"
    scheme = "s3" if isinstance(config, S3Config) else "gs"
    prefix = config.prefix.strip("/")
    return f"{scheme}://{config.bucket}/{prefix}".rstrip("/")
