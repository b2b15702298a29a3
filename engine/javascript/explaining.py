"""Diagnoses of the frames of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from engine.errors import LookupFailure
from engine.javascript.acquisition import Acquisition, Artifact, FileKey
from engine.javascript.artifacts import ArtifactProvider, Kind, NearMiss
from engine.javascript.diagnosis import Verdict, Want, diagnose
from engine.javascript.frames import Pass

_ABOUT_MAPS = frozenset({Verdict.MAP_MISSING, Verdict.MAP_MALFORMED, Verdict.NO_TOKEN, Verdict.LINE_OUT_OF_RANGE})


class Explainer:
    """Says of frames that are not fully readable why, asking the provider once for each file that was not had."""

    def __init__(self, acquisition: Acquisition, provider: ArtifactProvider) -> None:
        self._acquisition = acquisition
        self._provider = provider
        self._near: dict[FileKey, Sequence[NearMiss]] = {}

    def explain(self, step: Pass, sources: Mapping[str, Artifact | LookupFailure]) -> None:
        """Add the diagnosis to the frame. `sources` are original sources that were fetched, by path."""
        if step.verdict is not None:
            found = diagnose(step.verdict, self._wants(step, step.verdict, sources))
            step.frame.diagnosis = msgspec.Raw(msgspec.json.encode(found))

    def _wants(self, step: Pass, verdict: Verdict, sources: Mapping[str, Artifact | LookupFailure]) -> list[Want]:
        script = step.script
        if script is None:
            return []
        if step.source_wanted is not None:
            source = sources.get(step.source_wanted)
            failure = source if isinstance(source, LookupFailure) else None
            return [self._want(FileKey(Kind.SOURCE, step.source_wanted), failure)]
        if verdict in _ABOUT_MAPS and script.map_key is not None:
            return [self._want(script.map_key, script.map_failure)]
        return [self._want(script.key, script.failure)]

    def _want(self, key: FileKey, failure: LookupFailure | None) -> Want:
        query = self._acquisition.query(key)
        if failure is not None and key not in self._near:
            self._near[key] = self._provider.near_misses(query)
        return Want(query, failure, self._near.get(key, ()))
