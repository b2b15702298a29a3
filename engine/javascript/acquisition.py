"""How the files of one request are had: from bundles and single files that are known, by a lookup, from the web."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import orjson

from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError
from engine.javascript.answers import Attempt
from engine.javascript.artifacts import Kind, ListedBundle, ListedFile, Query, ResolvedWith
from engine.javascript.bundles import ArtifactBundle, BundledFile
from engine.javascript.discovery import data_url_content, is_data_url, map_reference
from engine.javascript.inputs import Facts, Inputs, Place, Text, inline_text, read_facts
from engine.javascript.scraping import Door, Reason, ScrapeFailure, scrape
from engine.javascript.urls import candidates, is_absolute_url, join, stem
from engine.lookup.plain_files import PlainFile
from engine.modules import DebugId
from engine.outgoing import Deadline

_ID_PREFIX = "sentry://project_debug_file/"
_MAP_HEADERS = ("sourcemap", "x-sourcemap")
EMBEDDED = msgspec.Raw(b'"embedded"')
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileKey:
    """Which file is wanted: by URL, by debug id, or by both."""

    kind: Kind
    abs_path: str | None = None
    debug_id: DebugId | None = None

    def to_wire(self) -> dict[str, dict[str, str]]:
        fields = {} if self.abs_path is None else {"abs_path": self.abs_path}
        if self.debug_id is not None:
            fields["debug_id"] = str(self.debug_id)
        return {self.kind.value: fields}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that was had, whence, and what it says of its map: a URL as written, or the map itself.

    `origin` is in the form of the wire.
    """

    text: Text
    origin: msgspec.Raw
    resolved_with: str
    map_url: str | None = None
    inline_map: Text | None = None
    debug_id: DebugId | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom files are acquired, and what is known about them all."""

    inputs: Inputs
    place: Place
    door: Door
    deadline: Deadline
    release: str | None
    dist: str | None


@dataclass(frozen=True, slots=True)
class _OpenBundle:
    reader: ArtifactBundle
    identity: str
    listed: ListedBundle


class Acquisition:
    """The state of one request: what lookups listed, which bundles are open, and what was tried on the web."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._bundles: dict[str, _OpenBundle | None] = {}
        self._files: dict[str, ListedFile] = {}
        self._asked: set[Query] = set()
        self.attempts: list[Attempt] = []

    def acquire(self, key: FileKey) -> Artifact:
        """The wanted file. Raises LookupFailure and DeadlineExceeded; a broken file ends the search like a good one."""
        url = key.abs_path if key.abs_path is not None and is_absolute_url(key.abs_path) else None
        try:
            found = self._from_artifacts(key)
        except (LookupFailure, OSError) as error:
            self._note(Attempt.needless(url) if url else None)
            raise _as_failure(error) from None
        if found is not None:
            self._note(Attempt.needless(url) if url else None)
            return found
        if url is None:
            raise LookupFailure(FailureKind.NOT_FOUND)
        return self._scraped(url)

    def query(self, key: FileKey) -> Query:
        """What a provider is asked for this file."""
        known = () if key.abs_path is None else (stem(key.abs_path),)
        ids = () if key.debug_id is None else (key.debug_id,)
        urls = () if key.abs_path is None else candidates(key.abs_path)
        return Query(self._asker.release, self._asker.dist, known, ids, urls, key.kind)

    def _note(self, attempt: Attempt | None) -> None:
        if attempt is not None:
            self.attempts.append(attempt)

    def _from_artifacts(self, key: FileKey) -> Artifact | None:
        found = self._known(key)
        if found is None and self._look_up(key):
            found = self._known(key)
        return found

    def _known(self, key: FileKey) -> Artifact | None:
        return self._in_bundles(key) or self._single(key)

    def _look_up(self, key: FileKey) -> bool:
        """Ask the provider; says whether it listed anything new."""
        query = self.query(key)
        if query in self._asked:
            return False
        self._asked.add(query)
        fresh = False
        for listed in self._asker.place.provider.lookup(query, self._asker.deadline):
            if isinstance(listed, ListedFile):
                fresh |= listed.abs_path not in self._files
                self._files.setdefault(listed.abs_path, listed)
            elif listed.id not in self._bundles:
                self._bundles[listed.id] = self._open(listed)
                fresh = True
        return fresh

    def _open(self, listed: ListedBundle) -> _OpenBundle | None:
        try:
            file = self._asker.inputs.listed(self._asker.place, listed, self._asker.deadline)
            return _OpenBundle(self._asker.inputs.bundle(file), file.identity, listed)
        except (LookupFailure, OSError) as error:
            _log.warning("an artifact bundle cannot be used", extra={"bundle": listed.id, "problem": str(error)})
            return None

    def _in_bundles(self, key: FileKey) -> Artifact | None:
        for bundle, file, resolved_with in self._matches(key):
            return self._bundled(key, bundle, file, resolved_with)
        return None

    def _matches(self, key: FileKey) -> Iterator[tuple[_OpenBundle, BundledFile, str]]:
        """By debug id in every bundle, then URL by URL in every bundle, the newest bundle first."""
        ordered = [self._bundles[name] for name in sorted(self._bundles, reverse=True)]
        bundles = [bundle for bundle in ordered if bundle is not None]
        if key.debug_id is not None:
            for bundle in bundles:
                file = bundle.reader.find_id(key.debug_id, key.kind)
                if file is not None:
                    yield bundle, file, ResolvedWith.DEBUG_ID
        for url in candidates(key.abs_path) if key.abs_path is not None else ():
            for bundle in bundles:
                file = bundle.reader.find_url(url)
                if file is not None:
                    yield bundle, file, bundle.listed.resolved_with

    def _bundled(self, key: FileKey, bundle: _OpenBundle, file: BundledFile, resolved_with: str) -> Artifact:
        text, facts = self._asker.inputs.member_text(bundle.identity, bundle.reader, file)
        _check_text(facts)
        origin = _raw({"bundled": [_ID_PREFIX + bundle.listed.id, key.to_wire()]})
        written = _header(file.headers)
        if written is not None:
            return _with_header(Artifact(text, origin, resolved_with), written, strict=True)
        if file.kind not in (Kind.SOURCE, Kind.MINIFIED_SOURCE):
            return Artifact(text, origin, resolved_with)
        return Artifact(text, origin, resolved_with, facts.comments.map_url, facts.inline)

    def _single(self, key: FileKey) -> Artifact | None:
        urls = candidates(key.abs_path) if key.abs_path is not None else ()
        listed = next((self._files[url] for url in urls if url in self._files), None)
        if listed is None:
            return None
        origin = _raw({"individual_file": _ID_PREFIX + listed.id})
        text, facts = self._single_text(listed)
        _check_text(facts)
        found = Artifact(text, origin, listed.resolved_with, debug_id=facts.comments.debug_id)
        written = _header(listed.headers)
        if written is not None:
            return _with_header(found, written, strict=False)
        return _with_comments(found, facts)

    def _single_text(self, listed: ListedFile) -> tuple[Text, Facts]:
        """Bytecode is stored as a file without content, with headers that tell of its map: that is no absence."""
        try:
            file = self._asker.inputs.listed(self._asker.place, listed, self._asker.deadline)
            text, facts = self._asker.inputs.file_text(file)
            if not text.size and not listed.headers:
                raise LookupFailure(FailureKind.NOT_FOUND)
            return text, facts
        except LookupFailure as failure:
            if failure.kind is FailureKind.NOT_FOUND and listed.headers:
                return _NOTHING, _NOTHING_FACTS
            raise

    def _scraped(self, url: str) -> Artifact:
        asker = self._asker
        try:
            scraped = scrape(url, asker.door, asker.inputs, asker.place, asker.deadline)
            text, facts = self._read_scraped(scraped.file)
        except ScrapeFailure as failure:
            self._note(Attempt.failed(url, failure))
            raise
        self._note(Attempt.successful(url))
        origin = _raw({"scraped_file": scraped.origin})
        return _with_comments(Artifact(text, origin, ResolvedWith.SCRAPING, debug_id=facts.comments.debug_id), facts)

    def _read_scraped(self, file: PlainFile) -> tuple[Text, Facts]:
        try:
            text, facts = self._asker.inputs.file_text(file)
            _check_text(facts)
        except (LookupFailure, OSError) as error:
            raise ScrapeFailure(Reason.OTHER, _as_failure(error).details, FailureKind.MALFORMED) from None
        return text, facts


_NOTHING_FACTS = read_facts("", b"")
_NOTHING = Text("", 0, lambda: b"")


def resolved_map_url(artifact: Artifact, abs_path: str) -> str | None:
    """The URL of a script's map, as the script or its headers say; None without one, or when the map is embedded."""
    return None if artifact.map_url is None else join(abs_path, artifact.map_url)


def _check_text(facts: Facts) -> None:
    if not facts.valid:
        raise FormatError("the file is not valid UTF-8")


def _header(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _MAP_HEADERS if headers.get(name)), None)


def _with_header(found: Artifact, written: str, *, strict: bool) -> Artifact:
    """The file with the map that its headers name. A broken data URL spoils the file when `strict`."""
    if is_data_url(written):
        if strict:
            data_url_content(written)
        return _with_map(found, None, inline_text(written))
    return _with_map(found, map_reference(written), None)


def _with_comments(found: Artifact, facts: Facts) -> Artifact:
    return _with_map(found, facts.comments.map_url, facts.inline)


def _with_map(found: Artifact, map_url: str | None, inline: Text | None) -> Artifact:
    return Artifact(found.text, found.origin, found.resolved_with, map_url, inline, found.debug_id)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(orjson.dumps(value))


def _as_failure(error: LookupFailure | OSError) -> LookupFailure:
    if isinstance(error, LookupFailure):
        return error
    _log.warning("an artifact cannot be read", extra={"problem": str(error)})
    return LookupFailure(FailureKind.UNREACHABLE, "internal error")
