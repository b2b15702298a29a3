"""Which frames are the application's own: by a project's patterns, else by where systems keep their libraries.

An executable is the application's own wherever it lies, and so is what lies beside it, unless that is a directory of
the system. What is known by its name to be a part of the system or of a language's runtime is not, wherever it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from crashes.reports import places


@lru_cache(maxsize=512)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    """One expression for patterns with * and ?, of whole paths or of names alone."""
    if not patterns:
        return None
    # `[` stands for itself.
    escaped = (translate(places.plain(pattern).replace("[", "[[]")) for pattern in patterns)
    return re.compile("|".join(f"(?:{one})" for one in escaped))


def _matches(patterns: re.Pattern[str] | None, path: str) -> bool:
    return patterns is not None and bool(patterns.match(path) or patterns.match(path.rpartition("/")[2]))


@dataclass(frozen=True, slots=True)
class InApp:
    """Decides for one report. `directories` are those of its executables, as `plain` writes them."""

    own: re.Pattern[str] | None = None
    other: re.Pattern[str] | None = None
    directories: frozenset[str] = frozenset()

    @classmethod
    def of(cls, in_app: Iterable[str] = (), not_in_app: Iterable[str] = (), modules: Iterable[str] = ()) -> InApp:
        """By a project's patterns, and the paths of the modules of a report."""
        executables = (path for module in modules if places.is_executable(path := places.plain(module)))
        own = {path.rpartition("/")[0] for path in executables}
        beside = frozenset(directory for directory in own if not places.is_of_systems(f"{directory}/", exact=True))
        return cls(_pattern(tuple(in_app)), _pattern(tuple(not_in_app)), beside)

    def ruled(self, *names: str | None) -> bool | None:
        """What the project's patterns say of a frame by its module, file or package; None when they say nothing."""
        if self.own is None and self.other is None:
            return None
        paths = [places.plain(name) for name in names if name]
        if any(_matches(self.own, path) for path in paths):
            return True
        return False if any(_matches(self.other, path) for path in paths) else None

    def native(self, module: str | None) -> bool | None:
        """Whether a native frame is the application's own, by the path of its module; None when that is unknown."""
        if not module:
            return None
        ruled = self.ruled(module)
        return self._by_place(places.plain(module)) if ruled is None else ruled

    def written(self, language: str, file: str | None, package: str | None = None) -> bool | None:
        """Whether a frame of another language is, by its file and its package or class; None when both are unknown."""
        if not file and not package:
            return None
        ruled = self.ruled(file, package)
        return places.is_written_here(language, file or "", package or "") if ruled is None else ruled

    def _by_place(self, path: str) -> bool:
        if places.is_runtime(path):
            return False
        directory = path.rpartition("/")[0]
        if directory and directory in self.directories:
            return True
        if places.is_of_systems(path):
            return places.is_executable(path) and not path.startswith(places.NEVER_OWN)
        return True
