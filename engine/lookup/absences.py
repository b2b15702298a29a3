"""Why a source offered no place to look at."""

from __future__ import annotations

from enum import StrEnum

from engine.lookup.file_types import DEBUG_FILES
from engine.modules import Wanted
from engine.sourcetypes.config import Filters, SentryConfig, SourceConfig
from engine.sourcetypes.filters import admits, wanted_paths


class Absence(StrEnum):
    NO_CHECKSUM = "no_checksum"
    NO_PATTERN = "no_pattern"
    NO_FILE_TYPE = "no_file_type"
    NO_PLACE = "no_place"
    NO_IDS = "no_ids"
    NOT_LISTED = "not_listed"

    @property
    def filtered(self) -> bool:
        """Whether a filter of the source is the reason."""
        return self in (Absence.NO_CHECKSUM, Absence.NO_PATTERN, Absence.NO_FILE_TYPE)


def absence(config: SourceConfig | None, wanted: Wanted) -> Absence:
    """The reason, for a source whose `locate` gave nothing for this module; without `config` it is a list of files."""
    if wanted.debug_id is None and wanted.code_id is None:
        return Absence.NO_IDS
    if config is None or isinstance(config, SentryConfig):
        return Absence.NOT_LISTED
    file_types = DEBUG_FILES[wanted.type]
    if not wanted_paths(Filters(), config.layout, wanted, file_types):
        return Absence.NO_PLACE
    if not admits(config.filters, wanted):
        lacking = config.filters.requires_checksum and not wanted.debug_checksum
        return Absence.NO_CHECKSUM if lacking else Absence.NO_PATTERN
    if not wanted_paths(config.filters, config.layout, wanted, file_types):
        return Absence.NO_FILE_TYPE
    return Absence.NOT_LISTED
