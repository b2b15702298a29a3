"""Requirement files: what is asked for (`.in`), and the versions and hashes that are installed (`.txt`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parents[1]
RUNTIME, DEV, TOOLS = "requirements", "requirements-dev", "requirements-tools"
_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_PINNED: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]+))?")
_MACHINES: Final = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))
# Where the service runs.
SUPPORTED: Final = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": system,
     "platform_system": name, "platform_machine": machine, "implementation_name": "cpython",
     "platform_python_implementation": "CPython", "os_name": "posix"}
    for version in ("3.11", "3.12", "3.13")
    for system, name, machine in _MACHINES
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a package (canonical name), where it is wanted, and how many files of it may be installed.

    `direct` says that one of our own files asks for it.
    """

    name: str
    version: str
    marker: str
    hashes: int
    direct: bool

    @property
    def is_supported(self) -> bool:
        """Whether it is wanted anywhere that the service runs."""
        return not self.marker or any(Marker(self.marker).evaluate(dict(place)) for place in SUPPORTED)


def asked(name: str) -> dict[str, list[Requirement]]:
    """What a file `NAME.in` asks for by itself, by canonical name."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            requirement = Requirement(text)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@cache
def pinned(name: str) -> tuple[Pin, ...]:
    """The pins of a file `NAME.txt`. Raises ValueError for a line that is none."""
    return tuple(_pins((ROOT / f"{name}.txt").read_text()))


def _pins(text: str) -> Iterator[Pin]:
    for block in re.split(
        r"\n(?=[A-Za-z0-9])", "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    ):
        found = _PINNED.match(block.strip())
        if found is None:
            raise ValueError(f"this is no pinned requirement: {block[:80]!r}")
        yield Pin(
            canonicalize_name(found["name"]),
            found["version"],
            (found["marker"] or "").strip(),
            len(_HASH.findall(block)),
            "-r requirements" in block,
        )


def disagreements(name: str) -> Iterator[str]:
    """What `NAME.txt` has that `NAME.in` does not ask for, or the other way round; without any network."""
    wanted, pins = asked(name), pinned(name)
    if name == DEV:
        wanted |= asked(RUNTIME)
    direct = {pin.name for pin in pins if pin.direct}
    yield from (f"{name}.txt lacks {one}" for one in sorted(wanted.keys() - direct))
    yield from (f"{name}.in does not ask for {one}" for one in sorted(direct - wanted.keys()))
    yield from (f"{name}.txt: {pin.name} has no hash" for pin in pins if not pin.hashes)
    for one, requirements in wanted.items():
        versions = {Version(pin.version) for pin in pins if pin.name == one}
        for requirement in requirements:
            if versions and not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
                yield f"{name}.txt has another version than {requirement}"
    if name != RUNTIME:
        yield from _elsewhere(name, pins, RUNTIME if name == DEV else DEV)


def _elsewhere(name: str, pins: tuple[Pin, ...], other: str) -> Iterator[str]:
    """One version of a package in all files, which are installed into one place."""
    others = _versions(pinned(other))
    for one, versions in _versions(pins).items():
        if one in others and not versions <= others[one]:
            yield f"{name}.txt has another version of {one} than {other}.txt"


def _versions(pins: tuple[Pin, ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pin in pins:
        found.setdefault(pin.name, set()).add(pin.version)
    return found


def unmet(name: str) -> Iterator[str]:
    """What packages that are installed here want and `NAME.txt` does not have: nothing else is installed with them."""
    versions = _versions(pinned(name))
    extras = {one: {extra for want in wants for extra in want.extras} for one, wants in asked(name).items()}
    for one in versions:
        try:
            needed = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue
        for text in needed:
            want = Requirement(text)
            applies = [
                want.marker is None or want.marker.evaluate({"extra": extra}) for extra in ("", *extras.get(one, ()))
            ]
            there = versions.get(canonicalize_name(want.name), set())
            if any(applies) and not any(want.specifier.contains(found, prereleases=True) for found in there):
                yield f"{name}.txt lacks {want.name}{want.specifier}, which {one} wants"
