"""Fields that http, s3 and gcs sources share: the layout of the files, and which files are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Casing, Filters, Layout, LayoutType
from sources.fields import ANY_TEXT, CONTROLS, Choice, Field, Flag, ListOf, ObjectOf, Text

LAYOUTS: Final = ("native", "symstore", "symstore_index2", "ssqp", "unified", "debuginfod", "slashsymbols")
CASINGS: Final = ("default", "uppercase", "lowercase")
OLD_FILETYPES: Final = ("pe", "pdb", "mach_debug", "mach_code", "elf_debug", "elf_code", "breakpad")
FILETYPES: Final = (
    *OLD_FILETYPES,
    "portablepdb",
    "wasm_code",
    "wasm_debug",
    "sourcebundle",
    "uuidmap",
    "bcsymbolmap",
    "il2cpp",
    "proguard",
)
SECRET_LENGTH: Final = 16 * 1024
NAME_LENGTH: Final = 255

# The grammar of engine/sourcetypes/globs.py, which a schema can only state as a regular expression.
_ONE: Final = rf"(?:[^*/\[{CONTROLS}]|\[(?:![^{CONTROLS}]|[^!{CONTROLS}])[^\]{CONTROLS}]*\])"
_COMPONENT: Final = rf"(?:\*\*|\*?(?:{_ONE}\*?)*)"
GLOB_PATTERN: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_GLOB: Final = Text(
    1024, GLOB_PATTERN, "must be a pattern: ** only between slashes, every [ closed, no control characters"
)

LAYOUT: Final = Field(
    "layout",
    ObjectOf(
        (
            Field("type", Choice(LAYOUTS), "How the folders and files are named.", required=True),
            Field("casing", Choice(CASINGS), "Whether paths are put in upper or lower case. Absent: `default`."),
        )
    ),
    "Where files lie within the source.",
    required=True,
)

FILTERS: Final = Field(
    "filters",
    ObjectOf(
        (
            Field("filetypes", ListOf(Choice(FILETYPES), 64), "Only these kinds of files are asked for. Empty: all."),
            Field(
                "path_patterns",
                ListOf(_GLOB, 100),
                "Only modules whose file names match one of these patterns (`*`, `?`, `**`) are asked for.",
            ),
            Field("requires_checksum", Flag(), "Only modules that come with a checksum are asked for."),
        )
    ),
    "Which files the source is asked for.",
)

OLD_FILTER: Final = Field(
    "filetypes",
    ListOf(Choice(OLD_FILETYPES), 64),
    "The old place of `filters.filetypes`; not together with `filters`.",
)

FILE_FIELDS: Final = (LAYOUT, FILTERS, OLD_FILTER)

PREFIX: Final = Field("prefix", Text(1024, ANY_TEXT, "must not hold control characters"), "Folder within the bucket.")
BUCKET: Final = Field("bucket", Text(NAME_LENGTH), "The bucket that holds the files.", required=True)


def engine_layout(config: Mapping[str, Any]) -> Layout:
    """The layout of a stored source. Raises KeyError, TypeError or ValueError for a row that was tampered with."""
    layout = config["layout"]
    return Layout(type=LayoutType(layout["type"]), casing=Casing(layout.get("casing", Casing.DEFAULT)))


def engine_filters(config: Mapping[str, Any]) -> Filters:
    """The filters of a stored source, wherever its file types were given. Raises as `engine_layout`."""
    given = config.get("filters", {})
    return Filters(
        filetypes=tuple(FileType(name) for name in config.get("filetypes", given.get("filetypes", ()))),
        path_patterns=tuple(given.get("path_patterns", ())),
        requires_checksum=given.get("requires_checksum", False),
    )
