"""The file that somebody came to upload: `?for=` with its debug id or code id, as pages of crashes link here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Q

from core.text import storable
from debugfiles.models import ArtifactEntry, DebugFile
from engine.modules import DebugId, parse_code_id
from projects.models import Project

_LONGEST: Final = 128
_HEX: Final = re.compile("[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """An id as it was written, and what it may mean: 40 digits can be either."""

    text: str
    debug_id: DebugId | None
    code_id: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no id."""
        text = storable(text.strip())
        debug_id = DebugId.parse(text)
        code_id = (parse_code_id(text) or "") if _HEX.fullmatch(text) else ""
        if len(text) > _LONGEST or (debug_id is None and not code_id):
            return None
        return cls(text, debug_id, code_id)

    def is_among(self, rows: Iterable[DebugFile]) -> bool:
        """Whether one of the files serves whoever asks for the id."""
        return any(self._is(row) for row in rows)

    def is_stored(self, project: Project) -> bool:
        """Whether the project has it: as a debug file, or as a script or map with this debug id."""
        if DebugFile.objects.filter(self._condition(), project=project).exists():
            return True
        if self.debug_id is None:
            return False
        entries = ArtifactEntry.objects.filter(organization_id=project.organization_id, bundle__projects=project)
        return entries.filter(debug_uuid=self.debug_id.uuid).exists()

    def _is(self, row: DebugFile) -> bool:
        if self.code_id and row.code_id == self.code_id:
            return True
        asked = self.debug_id
        # A later age serves, as a lookup has it.
        return asked is not None and row.debug_uuid == asked.uuid and row.debug_appendix >= asked.appendix

    def _condition(self) -> Q:
        found = Q(code_id=self.code_id) if self.code_id else Q(pk=None)
        if self.debug_id is not None:
            found |= Q(debug_uuid=self.debug_id.uuid, debug_appendix__gte=self.debug_id.appendix)
        return found
