"""The modules of a request: what they are, and how the answer tells about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.lookup.joining import join_candidates
from engine.lookup.model import Candidate, CficacheAnswer, Download, Features, ModuleStatus, SymcacheAnswer, Use
from engine.modules import DebugId, ModuleType, Wanted, parse_code_id
from engine.native.fragments import json_text
from engine.native.memory import TwoGenerations
from engine.native.wire import Module

_ENTRY_BYTES = 1500
_IDENTITIES_BYTES = 16 * 1024 * 1024

NO_PACKAGE = '",'
_UNKNOWN_ARCH = "unknown"


class ImageIdentity:
    """What a module is, apart from where it lies: read once, kept for every process that loads the same build.

    `key` tells identities apart (as `wanted` does, with a hash that is computed once), `package` is the JSON between
    the digits of a frame's address and its next field, `description` the JSON of the module's own fields.
    """

    __slots__ = ("description", "key", "package", "wanted")

    def __init__(self, module: Module, *, sought: str | None = None) -> None:
        """`sought` is the debug file to look for where it is not the one to show."""
        self.wanted = Wanted(
            ModuleType.parse(module.type),
            parse_code_id(module.code_id or ""),
            module.code_file,
            DebugId.parse(module.debug_id) if module.debug_id else None,
            module.debug_file,
            module.debug_checksum,
        )
        self.package = NO_PACKAGE if module.code_file is None else f'","package":{json_text(module.code_file)},'
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
        if sought is not None:
            self.wanted = replace(self.wanted, debug_file=sought)
            self.key = json_text([self.description, sought])


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
class Known:
    """What is known of one module's files for one purpose or several."""

    status: ModuleStatus
    features: Features
    arch: str
    candidates: Sequence[Candidate]


class ImageFindings:
    """The answer's JSON about one module's files: `head` up to the module's own fields, and `candidates`.

    Most requests do not want candidates, and writing them takes longest: they are written when first asked for.
    """

    __slots__ = ("_candidates", "head", "known", "unused_head")

    def __init__(self, known: Known, unwind_status: str = "") -> None:
        self.known = known
        rest = f'{unwind_status}"features":{json_text(_features(known.features))},"arch":{json_text(known.arch)},'
        self.head = f'{{"debug_status":"{known.status.value}",{rest}'
        self.unused_head = f'{{"debug_status":"{ModuleStatus.UNUSED.value}",{rest}'
        self._candidates: str | None = None

    @property
    def candidates(self) -> str:
        """The rows as a field that follows another; empty without any."""
        written = self._candidates
        if written is None:
            rows = ",".join(json_text(_candidate(candidate)) for candidate in self.known.candidates)
            written = self._candidates = f',"candidates":[{rows}]' if rows else ""
        return written


def findings(answer: SymcacheAnswer, more: Sequence[Candidate] = (), *, has_sources: bool = False) -> ImageFindings:
    """The JSON of what a lookup found out, with `more` candidates of others; `has_sources` if those found sources."""
    features = replace(answer.features, has_sources=True) if has_sources else answer.features
    return ImageFindings(Known(answer.status, features, answer.arch, _joined(answer.candidates, more)))


def with_unwinding(named: ImageFindings, unwind: CficacheAnswer) -> ImageFindings:
    """The JSON of what is known of a module, and of what the lookup of its unwind rules found out."""
    debug = named.known
    known = Known(
        debug.status,
        _either(debug.features, unwind.features),
        unwind.arch if debug.arch == _UNKNOWN_ARCH else debug.arch,
        join_candidates(debug.candidates, unwind.candidates),
    )
    return ImageFindings(known, f'"unwind_status":"{unwind.status.value}",')


def _either(one: Features, other: Features) -> Features:
    """What one of two files offers at least."""
    return Features(
        one.has_debug_info or other.has_debug_info,
        one.has_unwind_info or other.has_unwind_info,
        one.has_symbols or other.has_symbols,
        one.has_sources or other.has_sources,
        one.srcsrv_vcs or other.srcsrv_vcs,
    )


def _joined(rows: Sequence[Candidate], more: Sequence[Candidate]) -> list[Candidate]:
    """All rows by source and location, each place once: `rows` say more about a place than `more`."""
    places = {(row.source, row.location): row for row in more}
    for row in rows:
        places[row.source, row.location] = row
    return [places[key] for key in sorted(places)]


def _features(features: Features) -> dict[str, bool | str]:
    row = {name: getattr(features, name) for name in Features.__slots__}
    return {name: value for name, value in row.items() if value is not None}


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


UNUSED = findings(SymcacheAnswer(ModuleStatus.UNUSED, None, None, _UNKNOWN_ARCH, Features(), (), 0.0))
