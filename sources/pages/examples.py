"""Where the files of a module would be asked for: the engine's own path rules, for what a form says so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from engine.lookup.file_types import DEBUG_FILES
from engine.modules import DebugId, ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Filters, Layout
from engine.sourcetypes.filters import admits, wanted_paths
from engine.sourcetypes.http.address import BaseAddress
from sources.fields import Problems
from sources.pages.words import FILE_WORDS
from sources.types.common import FILTERS, LAYOUT, engine_filters, engine_layout

MOST_PATHS: Final = 10
_BUILD_ID: Final = "3988be7f44385cce25e399210deb9a5f57be012e"
_MACHO_UUID: Final = "67e9247c-814e-392b-a027-dbde6748fcbf"
SAMPLES: Final = MappingProxyType(
    {
        "elf": Wanted(
            ModuleType.ELF,
            _BUILD_ID,
            "/usr/lib/libledger.so",
            DebugId.parse("7fbe8839-3844-ce5c-25e3-99210deb9a5f"),
            "libledger.so",
        ),
        "pe": Wanted(
            ModuleType.PE,
            "5ab380779000",
            "C:\\Program Files\\Ledger\\ledger.dll",
            DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1"),
            "ledger.pdb",
        ),
        "macho": Wanted(
            ModuleType.MACHO,
            _MACHO_UUID.replace("-", ""),
            "/Applications/Ledger.app/Contents/MacOS/Ledger",
            DebugId.parse(_MACHO_UUID),
            "Ledger",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An address that would be asked for, and the kind of file that would be expected there."""

    address: str
    kind: str


@dataclass(frozen=True, slots=True)
class Example:
    """Where one module's files would be asked for, the likeliest first; `note` says why there is nothing to show."""

    asked: tuple[Asked, ...] = ()
    note: str = ""


def example(body: Mapping[str, Any], wanted: Wanted) -> Example:
    """The addresses for a source with what `body` (as the API takes it) says so far, complete or not."""
    problems = Problems()
    given = {name: body[name] for name in ("layout", "filters") if name in body}
    if "layout" not in given:
        return Example(note="Choose a layout to see what we will ask for.")
    LAYOUT.kind.clean(given["layout"], "layout", problems)
    FILTERS.kind.clean(given.get("filters", {}), "filters", problems)
    if problems:
        return Example(note=f"Correct first: {problems}.")
    return _example(body, engine_layout(given), engine_filters(given), wanted)


def _example(body: Mapping[str, Any], layout: Layout, filters: Filters, wanted: Wanted) -> Example:
    if not admits(filters, wanted):
        return Example(note="The filters leave this module out: nothing would be asked for.")
    paths: dict[str, FileType] = {}
    for file_type, path in wanted_paths(filters, layout, wanted, DEBUG_FILES[wanted.type]):
        paths.setdefault(path, file_type)
    if not paths:
        return Example(note="The layout has no place for this module, or the filters leave its files out.")
    shown = list(paths.items())[:MOST_PATHS]
    return Example(tuple(Asked(_address(body, path), FILE_WORDS.get(kind.value, kind.value)) for path, kind in shown))


def _address(body: Mapping[str, Any], path: str) -> str:
    if body["type"] == "http":
        return _web_address(body.get("url", ""), path)
    folder = str(body.get("prefix", "")).strip("/")
    scheme = {"s3": "s3", "gcs": "gs"}[body["type"]]
    return f"{scheme}://{'/'.join(part for part in (body.get('bucket', '') or '…', folder, path) if part)}"


def _web_address(url: str, path: str) -> str:
    try:
        return BaseAddress.parse(url).show(path) if "://" in url else f"https://…/{path}"
    except ValueError:
        return f"https://…/{path}"
