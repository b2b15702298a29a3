"""The catalogue of public symbol servers that a project can choose from. Its order is the order of lookups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Filters, HttpConfig, Layout, LayoutType

PREFIX: Final = "sentry:"

_WINDOWS: Final = Filters(filetypes=(FileType.PE, FileType.PDB))
_ELECTRON_PARTS: Final = ("electron", "ffmpeg", "libEGL", "libGLESv2", "node", "slack", "vk_swiftshader")


@dataclass(frozen=True, slots=True)
class Builtin:
    """One public symbol server. It is trusted, and what it serves is the same for everybody."""

    key: str
    name: str
    url: str
    layout: LayoutType = LayoutType.SYMSTORE
    filters: Filters = Filters()
    headers: Mapping[str, str] = field(default_factory=dict)
    has_index: bool = False
    hidden: bool = False

    @property
    def id(self) -> str:
        """The id that answers and candidates show."""
        return f"{PREFIX}{self.key}"

    def config(self) -> HttpConfig:
        """What the engine opens."""
        return HttpConfig(
            id=self.id,
            url=self.url,
            layout=Layout(type=self.layout),
            filters=self.filters,
            headers=dict(self.headers),
            has_index=self.has_index,
            is_public=True,
        )


_ENTRIES: Final = (
    Builtin(
        "microsoft",
        "Microsoft",
        "https://msdl.microsoft.com/download/symbols/",
        filters=Filters(filetypes=(FileType.PE, FileType.PDB, FileType.PORTABLE_PDB)),
    ),
    Builtin(
        "nuget",
        "NuGet.org",
        # Answers 403 to a request without the file's checksum.
        "https://symbols.nuget.org/download/symbols/",
        filters=Filters(filetypes=(FileType.PORTABLE_PDB,), requires_checksum=True),
    ),
    Builtin("citrix", "Citrix", "http://ctxsym.citrix.com/symbols/", filters=_WINDOWS),
    Builtin(
        "intel",
        "Intel",
        "https://software.intel.com/sites/downloads/symbols/",
        filters=_WINDOWS,
        headers={"User-Agent": "curl/7.72.0"},
        has_index=True,
    ),
    Builtin("amd", "AMD", "https://download.amd.com/dir/bin/", filters=_WINDOWS),
    Builtin("nvidia", "NVIDIA", "https://driver-symbols.nvidia.com/", filters=_WINDOWS),
    Builtin(
        "chromium",
        "Chromium",
        "https://chromium-browser-symsrv.commondatastorage.googleapis.com/",
        filters=_WINDOWS,
    ),
    Builtin("unity", "Unity", "http://symbolserver.unity3d.com/", filters=_WINDOWS),
    Builtin("mozilla", "Mozilla", "https://symbols.mozilla.org/"),
    Builtin("autodesk", "Autodesk", "http://symbols.autodesk.com/"),
    Builtin(
        "electron",
        "Electron",
        "https://symbols.electronjs.org/",
        layout=LayoutType.NATIVE,
        filters=Filters(
            filetypes=(FileType.PDB, FileType.BREAKPAD, FileType.SOURCE_BUNDLE),
            path_patterns=tuple(f"*{part}*" for part in _ELECTRON_PARTS),
        ),
    ),
    Builtin(
        "ubuntu",
        "Ubuntu",
        # The layout's paths begin below this folder.
        "https://debuginfod.ubuntu.com/buildid/",
        layout=LayoutType.DEBUGINFOD,
        filters=Filters(filetypes=(FileType.ELF_CODE, FileType.ELF_DEBUG)),
    ),
)

CATALOGUE: Final = MappingProxyType({entry.key: entry for entry in _ENTRIES})


def in_order(keys: Iterable[str]) -> list[str]:
    """The keys that exist, each once, in the catalogue's order."""
    chosen = set(keys)
    return [key for key in CATALOGUE if key in chosen]
