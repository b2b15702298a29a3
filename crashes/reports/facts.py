"""What lists show of a crash, from its result and what its client said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.text import storable
from crashes.models.crash import VERSION_LENGTH
from crashes.reports.model import Facts
from crashes.results import Frame, Result

_PLATFORM_LENGTH: Final = 32
_OS_LENGTH: Final = 64
_ARCH_LENGTH: Final = 32
# In the words of the clients, the most telling first.
_VERSIONS: Final = (
    "application.version",
    "version",
    "ver",
    "_version",
    "release",
    "app.version",
    "application_version",
)
_SYSTEMS: Final = ("uname.sysname", "os.name", "os", "platform", "browser.platform")
_ARCHES: Final = ("uname.machine", "cpu.arch", "arch", "device.arch")
_SYSTEM_NAMES: Final = {
    "darwin": "macOS",
    "macos": "macOS",
    "mac os x": "macOS",
    "linux": "Linux",
    "windows": "Windows",
    "windows_nt": "Windows",
    "win32": "Windows",
    "ios": "iOS",
    "android": "Android",
}
_ARCH_NAMES: Final = {
    "amd64": "x86_64",
    "x64": "x86_64",
    "aarch64": "arm64",
    "i386": "x86",
    "i686": "x86",
    "ia32": "x86",
}
# Problems of scripts that leave names unknown.
_NAMED: Final = frozenset({"symbolicated", "source_missing", "line_out_of_range"})


def facts_of(result: Result, attributes: Mapping[str, Any], version: str = "") -> Facts:
    """The facts; `version` is the one that the report itself tells, where it tells one."""
    frames = [frame for thread in result.threads for frame in thread.frames]
    arch = result.system.cpu_arch
    return Facts(
        platform=_cut(result.platform, _PLATFORM_LENGTH),
        version=_cut(version_of(attributes) or version, VERSION_LENGTH),
        os_name=_cut(result.system.os_name or system_name(_first(attributes, _SYSTEMS)), _OS_LENGTH),
        arch=_cut(arch if arch not in ("", "unknown") else arch_name(_first(attributes, _ARCHES)), _ARCH_LENGTH),
        frame_count=len(frames),
        unnamed_count=sum(not is_named(frame) for frame in frames),
    )


def version_of(attributes: Mapping[str, Any]) -> str:
    """The application's version as the client named it, empty where it did not."""
    return _first(attributes, _VERSIONS)


def is_named(frame: Frame) -> bool:
    """Whether a frame has its name in terms of the sources."""
    return frame.is_named and frame.status in _NAMED


def system_name(text: str) -> str:
    """The name of an operating system as minidumps' answers write it; what is not known stays as it is."""
    lowered = text.strip().lower()
    if lowered in _SYSTEM_NAMES:
        return _SYSTEM_NAMES[lowered]
    return next((name for begin, name in _SYSTEM_NAMES.items() if lowered.startswith(f"{begin} ")), text.strip())


def arch_name(text: str) -> str:
    """The name of an architecture as minidumps' answers write it; what is not known stays as it is."""
    return _ARCH_NAMES.get(text.strip().lower(), text.strip())


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    values = (attributes.get(name) for name in names)
    return next(
        (str(value) for value in values if isinstance(value, str | int | float) and value not in ("", False)), ""
    )


def _cut(text: str, length: int) -> str:
    return storable(text)[:length]
