"""Source maps and scripts, alone or in an archive: linked by debug id.

The id of a file is what it says itself (`debugId`, `//# debugId=`), what its name begins with, or what the file has
that it belongs to: `app.js` and `app.js.map` are one pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from core.api import ApiError
from core.blobs import BlobTooLarge, blob_store
from debugfiles.archives import Candidate, Refused, members
from debugfiles.bundles import MAX_FILES
from debugfiles.identify import Upload, shown_name
from debugfiles.receiving import max_upload_bytes
from debugfiles.services import store_artifact_bundle
from debugfiles.taking.bundling import BundleWriter
from debugfiles.taking.javascript import BuiltFile, look_into
from debugfiles.taking.outcome import Outcome
from debugfiles.taking.reading import bounds, holds_archive, my_turn, spooled
from engine.formats.bytewise import FormatError, mapped
from engine.javascript.artifacts import Kind
from engine.modules import DebugId
from projects.access import Actor
from projects.models import Project

_PIECE: Final = 1 << 18
_SYMBOLICATION_IDS: Final = uuid5(NAMESPACE_URL, "symbolication_id")


@dataclass(slots=True)
class _Survey:
    """What the files of an upload are, by their place in it."""

    files: dict[int, BuiltFile] = field(default_factory=dict)
    refused: dict[int, Refused] = field(default_factory=dict)
    ids: dict[str, DebugId] = field(default_factory=dict)


def symbolication_uuid(text: str) -> DebugId:
    """The debug id that stands for a `symbolication_id`: itself where it is one, else made from its text."""
    return DebugId.parse(text) or DebugId(uuid5(_SYMBOLICATION_IDS, text))


def take_source_maps(*, project: Project, actor: Actor, upload: Upload, symbolication_id: str = "") -> Outcome:
    """Store what an upload has of scripts and source maps as one bundle of the project, found by debug id.

    `symbolication_id` is one more id for the map, where there is exactly one. Raises ApiError (400) when there is
    nothing with an id, (413) over the project's quota, ArchiveRefused, and BlobError.
    """
    outcome = Outcome()
    packed = holds_archive(upload)
    with my_turn():
        survey = _surveyed(upload, packed)
        extra = _extra_id(survey, symbolication_id)
        with blob_store().incoming(max_upload_bytes()) as target, BundleWriter(target) as writer:
            for index, candidate in _members(upload, packed):
                _add(writer, survey, index, candidate, extra, outcome)
            _judge(upload, outcome)
            _add_stand_ins(writer, survey, extra)
            writer.finish()
            target.finish()
            outcome.bundle = store_artifact_bundle(
                organization=project.organization,
                projects=[project],
                actor=actor,
                upload=Upload(target, upload.name),
                release="",
                dist="",
            )
    return outcome


def _surveyed(upload: Upload, packed: bool) -> _Survey:
    survey = _Survey()
    for index, member in _members(upload, packed):
        if isinstance(member, Refused):
            survey.refused[index] = member
            continue
        try:
            with spooled(member) as incoming, open(incoming.path, "rb") as file:
                found = look_into(mapped(file), member.name)
        except FormatError as error:
            survey.refused[index] = Refused(member.name, error.details)
        except BlobTooLarge as error:
            survey.refused[index] = Refused(member.name, error.message)
        else:
            survey.files[index] = found
            if found.debug_id is not None:
                survey.ids.setdefault(found.pair, found.debug_id)
        if len(survey.files) > MAX_FILES:
            raise ApiError(f"The archive holds more than {MAX_FILES} scripts and maps", field="file")
    return survey


def _extra_id(survey: _Survey, symbolication_id: str) -> DebugId | None:
    if not symbolication_id:
        return None
    if sum(file.kind is Kind.SOURCE_MAP for file in survey.files.values()) != 1:
        message = "symbolication_id: names one source map; the upload holds another number of them"
        raise ApiError(message, field="symbolication_id")
    return symbolication_uuid(symbolication_id)


def _ids(survey: _Survey, file: BuiltFile, extra: DebugId | None) -> list[DebugId]:
    own = file.debug_id or survey.ids.get(file.pair)
    return list(dict.fromkeys(one for one in (own, extra) if one is not None))


def _add(
    writer: BundleWriter,
    survey: _Survey,
    index: int,
    candidate: Candidate | Refused,
    extra: DebugId | None,
    out: Outcome,
) -> None:
    file = survey.files.get(index)
    if file is None or isinstance(candidate, Refused):
        out.refuse(survey.refused[index])
        return
    ids = _ids(survey, file, extra)
    if not ids:
        reason = "it has no debug id: no `debugId` in the map, no `//# debugId=` in the script, none in the name"
        out.refuse(Refused(file.name, reason))
        return
    with spooled(candidate) as incoming:
        for debug_id in ids:
            with open(incoming.path, "rb") as content:
                writer.add(file.name, file.kind, debug_id, iter(lambda: content.read(_PIECE), b""))
    out.take(file.name, [str(debug_id) for debug_id in ids])


def _add_stand_ins(writer: BundleWriter, survey: _Survey, extra: DebugId | None) -> None:
    """An empty script for each map that came without its own: positions are looked up in the map alone then."""
    scripts = {
        debug_id
        for file in survey.files.values()
        if file.kind is Kind.MINIFIED_SOURCE
        for debug_id in _ids(survey, file, extra)
    }
    for file in survey.files.values():
        for debug_id in _ids(survey, file, extra):
            if file.kind is Kind.SOURCE_MAP and debug_id not in scripts:
                writer.add(file.pair, Kind.MINIFIED_SOURCE, debug_id, ())


def _judge(upload: Upload, outcome: Outcome) -> None:
    if not outcome.taken_count:
        reasons = outcome.reasons or "it holds no files"
        message = f"{shown_name(upload.name)}: no source map of it could be taken: {reasons}"
        raise ApiError(message, code="nothing_taken", field="file")


def _members(upload: Upload, packed: bool) -> Iterator[tuple[int, Candidate | Refused]]:
    if packed:
        yield from enumerate(members(upload.incoming.path, upload.name, bounds()))
        return
    with open(upload.incoming.path, "rb") as file:
        name = upload.name or "source.js.map"
        yield 0, Candidate(name, b"", iter(lambda: file.read(_PIECE), b""))
