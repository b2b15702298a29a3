"""The operator's default sources: the `sources` of a configuration file in Symbolicator's format.

The file is YAML or JSON, and either a mapping with a key `sources` (what else it says is for another program and
ignored) or the bare list of sources.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from engine.errors import SymbolsvcError
from engine.sourcetypes.config import BadSource, SourceConfig, decode_sources

SETTING = "SYMBOLICATOR_CONFIG"


class BadConfiguration(SymbolsvcError):
    """The configuration file cannot be read or makes no sense. The message names the place, never a value."""

    code = "bad_configuration"


def default_sources() -> tuple[SourceConfig, ...]:
    """The configured default sources, in order of priority; read once per process. Raises BadConfiguration."""
    name = settings.ENVIRONMENT[SETTING]
    return load(Path(name)) if name else ()


@lru_cache(maxsize=4)
def load(path: Path) -> tuple[SourceConfig, ...]:
    """The sources that the file at `path` configures. Raises BadConfiguration."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadConfiguration(f"{SETTING}: {path} is not UTF-8 text") from None
    except OSError as error:
        raise BadConfiguration(f"{SETTING}: {path} cannot be read: {error.strerror}") from None
    try:
        sources = decode_sources(_listed(path, _parse(path, text)), operator=True)
    except BadSource as error:
        raise BadConfiguration(f"{SETTING}: {path}: {error.message}") from None
    return _distinct(path, sources)


def _parse(path: Path, text: str) -> Any:
    # JSON first: YAML refuses tabs, which JSON allows.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # The library's own text quotes the line, which may hold a secret.
        mark = getattr(error, "problem_mark", None)
        place = f" near line {mark.line + 1}" if mark is not None else ""
        raise BadConfiguration(f"{SETTING}: {path} is neither JSON nor YAML{place}") from None


def _listed(path: Path, content: Any) -> Any:
    if isinstance(content, dict):
        content = content.get("sources")
    if content is None:
        return []
    if not isinstance(content, list):
        raise BadConfiguration(f"{SETTING}: {path}: write a list of sources, alone or under the key `sources`")
    return content


def _distinct(path: Path, sources: tuple[SourceConfig, ...]) -> tuple[SourceConfig, ...]:
    seen: dict[str, int] = {}
    for index, source in enumerate(sources):
        if source.id in seen:
            first = seen[source.id]
            raise BadConfiguration(f"{SETTING}: {path}: sources[{index}].id is that of sources[{first}] too")
        seen[source.id] = index
    return sources
