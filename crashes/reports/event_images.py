"""The images of Sentry's events: modules, mappings, and the debug ids of scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from crashes.reports import loose
from crashes.reports.json_reports import module_type
from engine.modules import DebugId, ModuleType

_MOST: Final = 4096
_TYPES: Final = {"apple": "macho", "symbolic": ""}
_JVM: Final = frozenset({"proguard", "jvm"})


@dataclass(slots=True)
class Images:
    """What a report's images are. `places` are the indexes of native ones in `native` by those in the event."""

    native: list[dict[str, Any]] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    mappings: list[UUID] = field(default_factory=list)
    bundles: list[UUID] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> Images:
        """The images as an event lists them."""
        made = cls()
        for at, given in enumerate(value[:_MOST] if isinstance(value, list) else ()):
            if isinstance(given, Mapping):
                made._add(at, given)
        return made

    def _add(self, at: int, given: Mapping[str, Any]) -> None:
        kind = loose.text(given.get("type"), 32).strip().lower()
        debug_id = DebugId.parse(loose.first_text(given.get("debug_id"), given.get("uuid"), given.get("id")).strip())
        if kind == "sourcemap":
            path = loose.text(given.get("code_file"), 4096)
            if path and debug_id is not None:
                self.scripts.setdefault(path, str(debug_id))
        elif kind in _JVM:
            if debug_id is not None:
                (self.mappings if kind == "proguard" else self.bundles).append(debug_id.uuid)
        else:
            self.places[at] = len(self.native)
            self.native.append(_module(_TYPES.get(kind, kind), given, debug_id))


def _module(kind: str, given: Mapping[str, Any], debug_id: DebugId | None) -> dict[str, Any]:
    code_file = loose.first_text(given.get("code_file"), given.get("name"))
    known = ModuleType.parse(kind)
    said = {
        "type": (module_type(code_file) if known is ModuleType.UNKNOWN else known).value,
        "code_file": code_file,
        "code_id": loose.text(given.get("code_id"), 128),
        "debug_file": loose.text(given.get("debug_file")),
        "debug_id": "" if debug_id is None else str(debug_id),
        "debug_checksum": loose.text(given.get("debug_checksum"), 256),
        "image_addr": loose.address(given.get("image_addr")),
        "image_size": loose.address(given.get("image_size")),
    }
    return {name: value for name, value in said.items() if value not in ("", None)} | {"type": said["type"]}
