"""What one request asks about its modules, and under which keys the process remembers the answers."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Sequence

from engine.lookup.store import Store
from engine.native.fragments import json_text
from engine.native.images import ImageIdentity
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source, listing_sources

_log = logging.getLogger(__name__)
_failures = itertools.count()


class Question:
    """Where modules are looked up: the sources in order, and the scope of what they fetch.

    Its keys tell scopes and sources apart, credentials included, and what is known from before a purge from after. A
    module that a source with a list has files of has a key with these in it: whatever else such a source gets or loses,
    what is known of the module holds. Keys stay the same as long as the question is asked.
    """

    __slots__ = ("_base", "_keys", "_listing", "deadline", "scope", "sources", "store")

    def __init__(self, sources: Sequence[Source], scope: str, store: Store, deadline: Deadline) -> None:
        self.sources = sources
        self.scope = scope
        self.store = store
        self.deadline = deadline
        keys = [source.cache_key for source in sources]
        self._base = json_text([scope, store.purges.token(keys), *keys])
        self._listing = listing_sources(sources)
        self._keys: dict[str, str] = {}

    def learn(self, identities: Iterable[ImageIdentity | None]) -> None:
        """Ask sources with a list about all these modules at once, which costs less than one by one."""
        if not self._listing:
            return
        new = {each.key: each for each in identities if each is not None and each.key not in self._keys}
        try:
            for source in self._listing:
                source.learn([each.wanted for each in new.values()])
            self._keys |= {key: self._composed(each) for key, each in new.items()}
        except Exception:  # noqa: BLE001 - whatever it is, lookups meet it too and say so
            _log.exception("a source could not be asked which files it has")
            # Nothing is known under such a key: whoever looks a module up finds out what is wrong with it.
            self._keys |= {key: f"{self._base}?{next(_failures)}" for key in new}

    def key(self, identity: ImageIdentity) -> str:
        """The key of a module's answers, besides what the module is."""
        if not self._listing:
            return self._base
        if identity.key not in self._keys:
            self.learn([identity])
        return self._keys[identity.key]

    def _composed(self, identity: ImageIdentity) -> str:
        offers = [source.offer(identity.wanted) for source in self._listing]
        return self._base + json_text(offers) if any(offers) else self._base
