"""The modules of a request: what they are, and how the answer tells about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.lookup.model import Candidate, Download, Features, ModuleStatus, SymcacheAnswer, Use
from engine.modules import DebugId, ModuleType, Wanted, parse_code_id
from engine.native.fragments import json_text
from engine.native.memory import TwoGenerations
from engine.native.wire import Module

_ENTRY_BYTES = 1500
_IDENTITIES_BYTES = 16 * 1024 * 1024


class ImageIdentity:
    """What a module is, apart from where it lies: read once, kept for every process that loads the same build.

    `key` tells identities apart (as `wanted` does, with a hash that is computed once), `package` is the JSON of a
    frame's field, `description` the JSON of the module's own fields.
    """

    __slots__ = ("description", "key", "package", "wanted")

    def __init__(self, module: Module) -> None:
        self.wanted = Wanted(
            ModuleType.parse(module.type),
            parse_code_id(module.code_id or ""),
            module.code_file,
            DebugId.parse(module.debug_id) if module.debug_id else None,
            module.debug_file,
            module.debug_checksum,
        )
        self.package = "" if module.code_file is None else f'"package":{json_text(module.code_file)},'
        fields = {
            "type": self.wanted.type.value,
            "code_id": self.wanted.code_id,
            "code_file": self.wanted.code_file,
            "debug_id": str(self.wanted.debug_id) if self.wanted.debug_id else None,
            "debug_file": self.wanted.debug_file,
            "debug_checksum": self.wanted.debug_checksum,
        }
        self.description = json_text({name: value for name, value in fields.items() if value is not None})[1:-1]
        self.key = self.description


class ImageIdentities:
    """Remembers identities by the fields as they came."""

    def __init__(self) -> None:
        self._known: TwoGenerations[tuple[str | None, ...], ImageIdentity] = TwoGenerations(_IDENTITIES_BYTES)

    def get(self, module: Module) -> ImageIdentity:
        key = (
            module.type,
            module.code_id,
            module.code_file,
            module.debug_id,
            module.debug_file,
            module.debug_checksum,
        )
        known = self._known.get(key)
        if known is None:
            known = ImageIdentity(module)
            self._known.put(key, known, _ENTRY_BYTES + 4 * len(known.description))
        return known


@dataclass(frozen=True, slots=True)
class ImageFindings:
    """The answer's JSON about one module's files: `rest` from the status to the module's own fields, `candidates`."""

    status: ModuleStatus
    rest: str
    candidates: str


def findings(answer: SymcacheAnswer) -> ImageFindings:
    """The JSON of what a lookup found out."""
    rows = ",".join(json_text(_candidate(candidate)) for candidate in answer.candidates)
    rest = f'"features":{json_text(_features(answer.features))},"arch":{json_text(answer.arch)}'
    return ImageFindings(answer.status, rest, f',"candidates":[{rows}]' if rows else "")


UNUSED = ImageFindings(
    ModuleStatus.UNUSED,
    f'"features":{json_text(dict.fromkeys(Features.__slots__, False))},"arch":"unknown"',
    "",
)


def image_text(
    identity: ImageIdentity,
    known: ImageFindings,
    status: ModuleStatus,
    address: int,
    size: int | None,
    *,
    candidates: bool,
) -> str:
    """The JSON of one module. `address` is absolute, `size` in bytes, None when unknown."""
    end = "" if size is None else f',"image_size":{size}'
    rows = known.candidates if candidates else ""
    head = f'"debug_status":"{status.value}",{known.rest},{identity.description}'
    return f'{{{head},"image_addr":"0x{address:x}"{end}{rows}}}'


def _features(features: Features) -> dict[str, bool]:
    return {name: getattr(features, name) for name in Features.__slots__}


def _candidate(candidate: Candidate) -> dict[str, object]:
    row: dict[str, object] = {
        "source": candidate.source,
        "location": candidate.location,
        "download": _download(candidate.download),
    }
    if candidate.unwind is not None:
        row["unwind"] = _use(candidate.unwind)
    if candidate.debug is not None:
        row["debug"] = _use(candidate.debug)
    return row


def _download(download: Download) -> dict[str, object]:
    row: dict[str, object] = {"status": download.status.value}
    if download.features is not None:
        row["features"] = _features(download.features)
    if download.details is not None:
        row["details"] = download.details
    return row


def _use(use: Use) -> dict[str, object]:
    row: dict[str, object] = {"status": use.status.value}
    if use.details is not None:
        row["details"] = use.details
    return row


def sorted_candidates(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Unique, by source and location."""
    return tuple(sorted(set(candidates), key=lambda candidate: (candidate.source, candidate.location)))
