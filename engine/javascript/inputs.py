"""Downloaded artifacts on disk, and what is remembered of their content in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.caches import Labels, Miss, derived_key
from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError
from engine.javascript.artifacts import ArtifactProvider, Listed, ListedBundle
from engine.javascript.bundles import ArtifactBundle, BundledFile, open_bundle
from engine.javascript.discovery import Comments, data_url_content, is_data_url, read_comments
from engine.lookup.plain_files import Errand, PlainFile, obtain_plain
from engine.lookup.store import Store
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline
from engine.outgoing.remembered import Remembered

# The largest script or map that is read; building lookup tables of larger ones would take gigabytes.
MAX_FILE_BYTES = 256 << 20
# In-memory limits of one process, in bytes.
TEXT_BYTES = 128 << 20
LARGEST_KEPT_BYTES = 32 << 20
FACTS_BYTES = 64 << 20
BUNDLES_BYTES = 192 << 20
_FACTS_OVERHEAD = 600
_KNOWN_FILES = 20_000
# So often the digest of a file on disk is compared again while it looks unchanged.
_BELIEVED_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Text:
    """The content of a script, map or source: its digest, and how it is read again."""

    identity: str
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a content says: `inline` is the map of a data URL in its comment, None without or when it is broken."""

    identity: str
    size: int
    valid: bool
    comments: Comments
    inline: Text | None


@dataclass(frozen=True, slots=True)
class Place:
    """For whom files are kept: a provider's cache key is part of every key, so nobody reads another's files.

    `purged` changes whenever files of the provider are purged.
    """

    provider: ArtifactProvider
    scope: str
    purged: str

    @property
    def labels(self) -> Labels:
        return Labels(self.provider.id, self.provider.cache_key, self.scope)

    def key(self, *parts: str) -> str:
        return derived_key("artifact", self.scope, self.provider.cache_key, *parts)


class Inputs:
    """Fetches artifacts, keeps them on disk, and reads them. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Remembered[tuple[PlainFile, tuple[int, ...]]] = Remembered(_KNOWN_FILES)
        self._texts: TwoGenerations[str, bytes] = TwoGenerations(TEXT_BYTES)
        self._facts: TwoGenerations[str, Facts] = TwoGenerations(FACTS_BYTES)
        self._members: TwoGenerations[tuple[str, str], Facts] = TwoGenerations(FACTS_BYTES)
        self._bundles: TwoGenerations[str, ArtifactBundle] = TwoGenerations(BUNDLES_BYTES)

    def place(self, provider: ArtifactProvider, scope: str) -> Place:
        return Place(provider, scope, self._store.purges.token([provider.cache_key]))

    def listed(self, place: Place, listed: Listed, deadline: Deadline) -> PlainFile:
        """An artifact of the provider. Raises LookupFailure, OSError and DeadlineExceeded."""
        bundle = isinstance(listed, ListedBundle)

        def fetch(target: BinaryIO) -> None:
            place.provider.fetch(listed, target, deadline)

        limit = self._store.max_download_bytes if bundle else MAX_FILE_BYTES
        key = place.key("bundle" if bundle else "file", listed.id)
        return self.obtain(place, Errand(key, place.labels, fetch, limit, unpack=True), deadline)

    def obtain(self, place: Place, errand: Errand, deadline: Deadline) -> PlainFile:
        """A file on disk. Raises LookupFailure, OSError and DeadlineExceeded."""
        memory_key = (errand.key, place.purged)
        known = self._known.get(memory_key)
        if known is not None and known[1] == _state(known[0].path):
            return known[0]
        found = obtain_plain(self._store.source_files, errand, deadline)
        if isinstance(found, Miss):
            raise LookupFailure(found.kind, found.details)
        self._known.put(memory_key, (found, _state(found.path)), _BELIEVED_SECONDS)
        return found

    def bundle(self, file: PlainFile) -> ArtifactBundle:
        """The reader of a bundle on disk. Raises FormatError and OSError."""
        known = self._bundles.get(file.identity)
        if known is None:
            known = open_bundle(file.path)
            self._bundles.put(file.identity, known, known.memory)
        return known

    def file_text(self, file: PlainFile) -> tuple[Text, Facts]:
        """A file on disk and what it says. Raises OSError."""
        text = Text(file.identity, file.path.stat().st_size, lambda: self._read(file.identity, file.path.read_bytes))
        known = self._facts.get(file.identity)
        return text, known or self._remember(file.identity, text.read())

    def member_text(self, identity: str, bundle: ArtifactBundle, file: BundledFile) -> tuple[Text, Facts]:
        """A file in the bundle with this `identity`, and what it says. Raises FormatError."""

        def unpack() -> bytes:
            return bundle.content(file, max_bytes=MAX_FILE_BYTES)

        facts = self._members.get((identity, file.path))
        if facts is None:
            content = unpack()
            digest = _digest(content)
            self._keep(digest, content)
            facts = self._facts.get(digest) or self._remember(digest, content)
            self._members.put((identity, file.path), facts, _FACTS_OVERHEAD)
        known = facts.identity
        return Text(known, facts.size, lambda: self._read(known, unpack)), facts

    def _read(self, identity: str, load: Callable[[], bytes]) -> bytes:
        known = self._texts.get(identity)
        if known is None:
            known = load()
            self._keep(identity, known)
        return known

    def _keep(self, identity: str, content: bytes) -> None:
        """Large texts are read once, for a table that is then kept instead."""
        if len(content) <= LARGEST_KEPT_BYTES:
            self._texts.put(identity, content, len(content))

    def _remember(self, identity: str, content: bytes) -> Facts:
        facts = read_facts(identity, content)
        self._facts.put(identity, facts, _FACTS_OVERHEAD + (facts.inline.size if facts.inline else 0))
        return facts


def read_facts(identity: str, content: bytes) -> Facts:
    """What there is to know about a content besides its text."""
    valid = is_utf8(content)
    comments = read_comments(content) if valid else Comments(None, None)
    inline = None
    if comments.map_url is not None and is_data_url(comments.map_url):
        inline = inline_text(comments.map_url)
        # The URL is as long as the map.
        comments = Comments(None, comments.debug_id)
    return Facts(identity, len(content), valid, comments, inline)


def inline_text(url: str) -> Text | None:
    """The map in a data URL; None when it is broken."""
    try:
        content = data_url_content(url)
    except FormatError:
        return None
    return Text(_digest(content), len(content), lambda: content)


def is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _state(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
