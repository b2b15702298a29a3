"""Uploads of people who do not say what they upload: the content tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.api import ApiError
from debugfiles.bundles import read_bundle
from debugfiles.identify import Upload, shown_name
from debugfiles.records.models import UploadRecord
from debugfiles.records.services import UploadFacts, record_upload
from debugfiles.services import store_artifact_bundle
from debugfiles.taking import Outcome, take_source_maps, take_symbols
from debugfiles.taking.javascript import look_into
from debugfiles.taking.reading import holds_archive
from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError, mapped
from engine.javascript.artifacts import Kind
from projects.access import Actor
from projects.models import Project

_FORMAT: Final = "browser"
_BUNDLE_STARTS: Final = (b"SYSB", b"PK")
# What a bundle of a JavaScript build has and a source bundle of native code has not.
_BUILT: Final = frozenset({Kind.MINIFIED_SOURCE.value, Kind.SOURCE_MAP.value})


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload, and its record."""

    outcome: Outcome
    record: UploadRecord


def store_anything(*, project: Project, actor: Actor, upload: Upload) -> Stored:
    """Store a debug file, a script or a source map, an archive of either, or an artifact bundle.

    Raises what they raise who take these: ApiError (400, 413, 503), BlobError.
    """
    outcome = _taken(project, actor, upload)
    facts = UploadFacts(_FORMAT, shown_name(upload.name), upload.incoming.size)
    return Stored(outcome, record_upload(project=project, actor=actor, facts=facts, outcome=outcome))


def _taken(project: Project, actor: Actor, upload: Upload) -> Outcome:
    if _is_bundle(upload):
        return _take_bundle(project, actor, upload)
    if not holds_archive(upload):
        take = take_source_maps if _is_built(upload) else take_symbols
        return take(project=project, actor=actor, upload=upload)
    if upload.debug_id is not None:
        raise ApiError("An id can be given to a single file, not to an archive.", field="debug_id")
    try:
        return take_symbols(project=project, actor=actor, upload=upload)
    except ApiError as error:
        if error.code != "nothing_taken":
            raise
        return _of_a_build(project, actor, upload, error)


def _of_a_build(project: Project, actor: Actor, upload: Upload, refusal: ApiError) -> Outcome:
    """An archive without debug files may be one of scripts; where it is neither, the first refusal stands."""
    try:
        return take_source_maps(project=project, actor=actor, upload=upload)
    except ApiError as error:
        raise (refusal if error.code == "nothing_taken" else error) from None


def _take_bundle(project: Project, actor: Actor, upload: Upload) -> Outcome:
    bundle = store_artifact_bundle(
        organization=project.organization, projects=[project], actor=actor, upload=upload, release="", dist=""
    )
    outcome = Outcome(bundle=bundle)
    outcome.take(upload.name, [bundle.bundle_id] if bundle.bundle_id else [])
    return outcome


def _is_bundle(upload: Upload) -> bool:
    with open(upload.incoming.path, "rb") as file:
        if not file.read(4).startswith(_BUNDLE_STARTS):
            return False
    try:
        return any(entry.kind in _BUILT for entry in read_bundle(upload.incoming.path).entries)
    except LookupFailure:
        return False


def _is_built(upload: Upload) -> bool:
    """Whether a single file is a script or a source map."""
    if not upload.incoming.size:
        return False
    try:
        with open(upload.incoming.path, "rb") as file:
            look_into(mapped(file), upload.name)
    except FormatError:
        return False
    return True
