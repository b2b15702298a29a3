"""The built-in sources in words: what each offers, and whether it can help a project's platform."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from engine.sourcetypes.base import FileType
from sources.builtin import CATALOGUE, Builtin

WEB_LAYOUT: Final = "built-in"
_WINDOWS: Final = "Windows"
_LINUX: Final = "Linux"
_DOTNET: Final = ".NET"
_OFFERS: Final = {
    "microsoft": "Windows itself, the Visual C++ runtime, DirectX, .NET runtimes",
    "nuget": ".NET packages whose makers publish symbols on NuGet.org",
    "citrix": "Citrix clients that hook into Windows programs",
    "intel": "Intel graphics drivers and libraries",
    "amd": "AMD graphics drivers",
    "nvidia": "NVIDIA graphics drivers",
    "chromium": "Chromium and what embeds it, such as CEF and WebView2 relatives",
    "unity": "The Unity player and editor",
    "mozilla": "Firefox and Thunderbird, and system libraries that Mozilla has collected",
    "autodesk": "Autodesk products and their plug-in hosts",
    "electron": "Electron's own binaries on all systems",
    "ubuntu": "Packages of Ubuntu: system libraries and programs",
}
# What these hold is not said by their filters.
_WINDOWS_ALONE: Final = frozenset({"autodesk"})
# Words of a platform's name, and the systems that its crashes come from.
_PLATFORMS: Final = (
    (("javascript", "node", "python", "php", "ruby", "java", "kotlin", "android"), frozenset[str]()),
    (("cocoa", "apple", "ios", "macos", "swift"), frozenset({"macOS"})),
    (("csharp", "dotnet", ".net"), frozenset({_DOTNET, _WINDOWS})),
    (("windows", "win32"), frozenset({_WINDOWS, _DOTNET})),
    (("linux",), frozenset({_LINUX})),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A built-in source as the catalogue shows it. `fits` is None where the project does not name its platform."""

    key: str
    name: str
    offers: str
    url: str
    systems: tuple[str, ...]
    used: bool
    fits: bool | None


def offers(used: Collection[str], platform: str) -> list[Offer]:
    """The catalogue in the order of lookups; entries that are hidden only where they are used."""
    wanted = _systems_of_platform(platform)
    return [
        Offer(
            key=entry.key,
            name=entry.name,
            offers=_OFFERS.get(entry.key, ""),
            url=entry.url,
            systems=_systems(entry),
            used=entry.key in used,
            fits=None if wanted is None else not wanted.isdisjoint(_systems(entry)),
        )
        for entry in CATALOGUE.values()
        if not entry.hidden or entry.key in used
    ]


def _systems(entry: Builtin) -> tuple[str, ...]:
    if entry.key in _WINDOWS_ALONE:
        return (_WINDOWS,)
    if not entry.filters.filetypes or entry.key == "electron":
        return (_WINDOWS, "macOS", _LINUX)
    kinds = set(entry.filters.filetypes)
    named = (
        (_WINDOWS, {FileType.PE, FileType.PDB}),
        (_DOTNET, {FileType.PORTABLE_PDB}),
        (_LINUX, {FileType.ELF_CODE, FileType.ELF_DEBUG}),
    )
    return tuple(name for name, has in named if kinds & has)


def _systems_of_platform(platform: str) -> frozenset[str] | None:
    lowered = platform.lower()
    if not lowered or lowered in ("native", "other", "c", "c++"):
        return None
    return next((systems for words, systems in _PLATFORMS if any(word in lowered for word in words)), None)
