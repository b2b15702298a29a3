"""What a source type is: a field table, which fields are secret, and where a secret would be sent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.sourcetypes.config import SourceConfig
from sources.fields import Field

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plain:
    """A stored source with its secrets in clear, on its way into the engine. Its repr shows none."""

    id: str
    config: Config
    secrets: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<source {self.id!r}>"


@dataclass(frozen=True, slots=True)
class SourceType:
    """One type of symbol sources. A new one is a folder like its siblings and a line in the registry.

    `destination` says where a secret would be sent: when it changes, a hidden secret has to be entered again.
    `engine_config` builds what the engine opens; None where the engine never looks files up there. `missing` names the
    optional fields without which a stored source cannot work yet.
    """

    name: str
    label: str
    component: str
    fields: tuple[Field, ...]
    secrets: frozenset[str]
    destination: Callable[[Config], Hashable]
    engine_config: Callable[[Plain], SourceConfig] | None
    doc: str
    example: Config
    missing: Callable[[Config], tuple[str, ...]] = lambda config: ()
