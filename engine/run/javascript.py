"""Symbolication of JavaScript stacks, from a decoded request to the JSON of the answer."""

from __future__ import annotations

from collections.abc import Mapping

from engine.javascript.artifacts import ArtifactProvider
from engine.javascript.inputs import Inputs
from engine.javascript.job import Job
from engine.javascript.listings import answers
from engine.javascript.maps import SourceMaps
from engine.javascript.scraping import Door
from engine.javascript.scripts import Contexts
from engine.javascript.wire import JsRequest, ScrapingRules
from engine.lookup.store import Store
from engine.native.gate import Gate
from engine.outgoing import Deadline, Trust

__all__ = ["JavascriptEngine"]


class JavascriptEngine:
    """The JavaScript engine of one process, with everything it remembers. Safe to use from several threads.

    Lookup tables of source maps lie in files below TMPDIR, about three times as large as the maps: that should be a
    disk with room, not memory.
    """

    def __init__(self, store: Store, gate: Gate) -> None:
        self._store = store
        self._gate = gate
        self._inputs = Inputs(store)
        self._maps = SourceMaps(store, gate)
        self._contexts = Contexts(gate)
        self._purged: Mapping[str, float] = {}

    def symbolicate(
        self,
        request: JsRequest,
        provider: ArtifactProvider,
        *,
        scope: str,
        deadline: Deadline,
        scraping: ScrapingRules,
        trust: Trust = Trust.NONE,
        explain: bool = False,
    ) -> bytes:
        """The JSON of a `completed` answer. Raises DeadlineExceeded; any other failure shows in `errors`.

        `trust` says where scraping may lead besides the public internet. With `explain`, frames that are not fully
        readable say why and what to do. The request's frames are changed.
        """
        self._forget_purged()
        place = self._inputs.place(provider, scope)
        door = Door(scraping, trust)
        job = Job(request, self._inputs, self._maps, self._contexts, self._gate)
        return job.run(place, door, deadline, explain=explain)

    def _forget_purged(self) -> None:
        """Ask servers anew what they have, after a purge of the files of those who ask."""
        latest, before = self._store.purges.latest(), self._purged
        if latest != before:
            self._purged = latest
            answers.forget_of([owner for owner, at in latest.items() if before.get(owner) != at])
