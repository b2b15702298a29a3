"""What became of the files of an upload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from debugfiles.archives import Refused
from debugfiles.models import ArtifactBundle, DebugFile

# Of more files only the count is kept.
MOST_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was stored, and the ids that it is found by."""

    name: str
    ids: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """Counts are exact, the lists hold the first files. `problem` says why an archive was not read to its end."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    taken_count: int = 0
    refused_count: int = 0
    rows: list[DebugFile] = field(default_factory=list)
    bundle: ArtifactBundle | None = None
    problem: str = ""

    def take(self, name: str, ids: Iterable[str], rows: Sequence[DebugFile] = ()) -> None:
        """Note a file that was stored."""
        self.taken_count += 1
        if len(self.taken) < MOST_SHOWN:
            self.taken.append(Taken(name, tuple(ids)))
            self.rows += rows

    def refuse(self, refused: Refused) -> None:
        """Note a file that was not."""
        self.refused_count += 1
        if len(self.refused) < MOST_SHOWN:
            self.refused.append(refused)

    @property
    def reasons(self) -> str:
        """Why files were refused, in one text: the first few of them."""
        said = [f"{one.name}: {one.reason}" for one in self.refused[:5]]
        more = self.refused_count - len(said)
        return "; ".join(said + ([f"and {more} more"] if more > 0 else []))
