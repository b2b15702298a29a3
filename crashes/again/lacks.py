"""What a crash lacks, as its processing tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from core.text import storable
from crashes.models import LackedFile
from engine.modules import DebugId

_KIND_LENGTH: Final = 16
_SHORT: Final = 64
_CODE_ID_LENGTH: Final = 128
_RELEASE_LENGTH: Final = 250
_NAME_LENGTH: Final = 500
_TEXT_LENGTH: Final = 2_000


class LackKind(StrEnum):
    """What is lacked: a file with names, one with unwind rules, a script or its source map, a mapping of ProGuard."""

    DEBUG_FILE = "debug_file"
    UNWIND_FILE = "unwind_file"
    SOURCE_MAP = "source_map"
    MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class Lack:
    """A file that processing asked for in vain, by what it would be found by.

    `debug_id` is the canonical text with its age; `code_id` lower-case hex; `name` the file's name, or its URL where
    release and dist find it. `module` is the module as in a request: what a later lookup needs; empty where only an
    upload can bring the file. `next_try_at` is when a source that failed or had nothing is worth asking again. `cause`
    and `remedy` are the diagnosis in words.
    """

    kind: str
    name: str
    debug_id: str = ""
    debug_uuid: UUID | None = None
    code_id: str = ""
    release: str = ""
    dist: str = ""
    module: Mapping[str, Any] = field(default_factory=dict)
    next_try_at: datetime | None = None
    cause: str = ""
    remedy: str = ""

    @property
    def key(self) -> str:
        """What tells lacked files of a project apart: 64 hex digits. Paths are left out of it, base names are not."""
        parts = (self.kind, self.debug_id or self.debug_uuid, self.code_id, self.release, self.dist, self._own_name)
        return sha256(msgspec.json.encode([str(part or "") for part in parts])).hexdigest()

    @property
    def _own_name(self) -> str:
        if self.release and not self.debug_id:
            return storable(self.name)
        return storable(self.name).replace("\\", "/").rpartition("/")[2].lower()

    def row(self, project_id: int) -> LackedFile:
        """A row that says so, not saved; texts are cut to what the columns hold."""
        parsed = DebugId.parse(self.debug_id) if self.debug_id else None
        return LackedFile(
            project_id=project_id,
            kind=self.kind[:_KIND_LENGTH],
            key=self.key,
            name=storable(self.name)[:_NAME_LENGTH],
            debug_id=storable(self.debug_id)[:_SHORT],
            debug_uuid=self.debug_uuid or (parsed.uuid if parsed else None),
            code_id=storable(self.code_id)[:_CODE_ID_LENGTH].lower(),
            release=storable(self.release)[:_RELEASE_LENGTH],
            dist=storable(self.dist)[:_SHORT],
            module=storable_json(self.module),
            cause=storable(self.cause)[:_TEXT_LENGTH],
            remedy=storable(self.remedy)[:_TEXT_LENGTH],
            next_probe_at=self.next_try_at if self.module else None,
        )


def storable_json(value: Any) -> Any:
    """Any JSON with its texts made such as PostgreSQL stores."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(inner) for inner in value]
    return value
