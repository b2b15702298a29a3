"""Why a frame of a script is not readable, what was looked for, what nearly matched, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from engine.errors import FailureKind, LookupFailure
from engine.javascript.artifacts import NearMiss, Query
from engine.javascript.scraping import Reason, ScrapeFailure

MOST_NEAR_MISSES = 10


class Verdict(StrEnum):
    NO_LINE = "no_line"
    SCRIPT_MISSING = "script_missing"
    NO_MAP_REFERENCE = "no_map_reference"
    MAP_MISSING = "map_missing"
    MAP_MALFORMED = "map_malformed"
    NO_TOKEN = "no_token"  # noqa: S105 - a position without a mapping
    SOURCE_MISSING = "source_missing"
    LINE_OUT_OF_RANGE = "line_out_of_range"


_TEXTS: dict[Verdict, tuple[str, str]] = {
    Verdict.NO_LINE: (
        "The frame has no line number.",
        "Have the client report line and column of each frame; line numbers begin with 1.",
    ),
    Verdict.SCRIPT_MISSING: (
        "The minified file was not found.",
        "Upload the minified file together with its source map, for this release or with a debug id in both.",
    ),
    Verdict.NO_MAP_REFERENCE: (
        "The minified file was found and nothing in it tells of a source map.",
        "Have the build write a `//# sourceMappingURL=` comment or inject debug ids before the upload.",
    ),
    Verdict.MAP_MISSING: (
        "The minified file was found, the source map that it refers to was not.",
        "Upload the source map beside the minified file, under the URL or the debug id that the file names.",
    ),
    Verdict.MAP_MALFORMED: (
        "The source map was found and cannot be read.",
        "Check that the uploaded file is the map itself: valid JSON in UTF-8 without a byte order mark.",
    ),
    Verdict.NO_TOKEN: (
        "The source map says nothing about this line and column.",
        "Check that minified file and source map come from the same build and were not changed after it.",
    ),
    Verdict.SOURCE_MISSING: (
        "Names and lines are known, the source itself is neither in the map nor uploaded.",
        "Have the build put the sources into the map (`sourcesContent`), or upload the source files.",
    ),
    Verdict.LINE_OUT_OF_RANGE: (
        "The source in the map has fewer lines than the map points to.",
        "Check that all tools of the build pass source maps on: a step after the map was made changed the source.",
    ),
}

# What explains a missing file better than that it is missing.
_REASONS: dict[Reason, str] = {
    Reason.DISABLED: "Upload the file, or enable scraping for this project.",
    Reason.INVALID_HOST: "Upload the file, or add its host to the allowed origins.",
    Reason.PERMISSION_DENIED: "Upload the file, or set the header that its server asks for.",
    Reason.TIMEOUT: "Upload the file: its server did not answer in time.",
    Reason.DOWNLOAD_ERROR: "Upload the file: its server could not be reached.",
}
_KINDS: dict[FailureKind, str] = {
    FailureKind.MALFORMED: "Upload the file again: what is stored of it is broken.",
    FailureKind.TOO_LARGE: "Upload a smaller file: this one is larger than can be handled.",
}


class LookedFor(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file that was looked for, and by what; `problem` is what came of it."""

    kind: str
    debug_id: str | None = None
    release: str | None = None
    dist: str | None = None
    urls: tuple[str, ...] = ()
    problem: str = ""


class Near(msgspec.Struct, frozen=True):
    """An artifact that nearly was the one."""

    kind: str
    text: str


class Diagnosis(msgspec.Struct, frozen=True, omit_defaults=True):
    """The diagnosis of one frame; `text` says what is wrong and `remedy` what to do, in a sentence each."""

    verdict: Verdict
    text: str
    remedy: str
    looked_for: tuple[LookedFor, ...] = ()
    near_misses: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class Want:
    """A file that was wanted, and why it could not be had; `failure` is None when it was had."""

    query: Query
    failure: LookupFailure | None
    near_misses: Sequence[NearMiss] = ()


def diagnose(verdict: Verdict, wants: Sequence[Want]) -> Diagnosis:
    """The diagnosis for a verdict; `wants` are the files that it rests on, the decisive one last."""
    text, remedy = _TEXTS[verdict]
    failure = wants[-1].failure if wants else None
    near = tuple(Near(miss.kind, miss.text) for want in wants for miss in want.near_misses)[:MOST_NEAR_MISSES]
    better = None if verdict is Verdict.MAP_MALFORMED and _is_malformed(failure) else _remedy(failure)
    return Diagnosis(verdict, text, better or remedy, tuple(_looked_for(want) for want in wants), near)


def _is_malformed(failure: LookupFailure | None) -> bool:
    return failure is not None and failure.kind is FailureKind.MALFORMED


def _remedy(failure: LookupFailure | None) -> str | None:
    if isinstance(failure, ScrapeFailure):
        return _REASONS.get(failure.reason)
    return _KINDS.get(failure.kind) if failure is not None else None


def _looked_for(want: Want) -> LookedFor:
    query = want.query
    return LookedFor(
        kind=query.kind.value if query.kind else "",
        debug_id=str(query.debug_ids[0]) if query.debug_ids else None,
        release=query.release,
        dist=query.dist,
        urls=query.urls,
        problem=want.failure.message if want.failure is not None else "",
    )
