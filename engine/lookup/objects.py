"""One location of one source: the file fetched, unpacked, looked into, and remembered, or why not."""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from engine.caches import GLOBAL_SCOPE, Draft, Labels, Miss, derived_key, keep_alive, location_key, publish, seal
from engine.convert.client import ConverterUnavailable
from engine.convert.wire import Inspected, ObjectFacts
from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError, mapped
from engine.formats.decompress import decompress
from engine.formats.srcsrv import version_control
from engine.lookup.bounded import Bounded
from engine.lookup.misses import PASSING_SECONDS, made_or_missed
from engine.lookup.sharing import offer_file, shared_file
from engine.lookup.store import Store
from engine.modules import DebugId, Wanted
from engine.outgoing import Deadline
from engine.owners import OWNER_DIGITS
from engine.sourcetypes.base import Location, Source

CHUNK_BYTES = 1 << 20
PDB = "pdb"
SYMCACHE_NAME = "symcache"
AT_ONCE_BYTES = 4 << 20
CACHE_FULL = "the cache directory is full"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class ObjectFile(msgspec.Struct, frozen=True):
    """A fetched file: its readable objects out of `total`, and the digest of its unpacked content.

    `fetched` is when its source was asked for it, in seconds since the epoch; 0 when that is not known. `srcsrv_vcs`
    is where a PDB says its sources are kept.
    """

    objects: tuple[ObjectFacts, ...]
    total: int
    digest: str
    fetched: float = 0.0
    srcsrv_vcs: str | None = None


class InternalFailure(msgspec.Struct, frozen=True):
    """Something of ours failed (the disk, the converter). Never remembered."""

    reason: str

    @classmethod
    def of(cls, error: Exception) -> InternalFailure:
        """A full disk is the one failure that whoever reads the answer can do something about."""
        if (isinstance(error, OSError) and error.errno in _FULL) or "[Errno 28]" in str(error):
            return cls(CACHE_FULL)
        return cls(f"{type(error).__name__}: {error}")


Outcome = ObjectFile | Miss | InternalFailure
_decoder = msgspec.json.Decoder(ObjectFile)


@dataclass(frozen=True, slots=True)
class Place:
    """A location of a source, as one request with its scope sees it."""

    source: Source
    location: Location
    wanted: Wanted
    scope: str
    key: str

    @property
    def labels(self) -> Labels:
        """What is cached for this place belongs to."""
        return labels_of(self.source, self.wanted, self.scope)

    @classmethod
    def of(cls, source: Source, location: Location, wanted: Wanted, scope: str) -> Place:
        key = location_key(
            scope=scope,
            shared=source.shared,
            source_key=source.cache_key[:OWNER_DIGITS] if location.content else source.cache_key,
            uri=f"content:{location.content}" if location.content else location.uri,
            checksum=wanted.debug_checksum,
        )
        return cls(source, location, wanted, GLOBAL_SCOPE if source.shared else scope, key)


def labels_of(source: Source, wanted: Wanted, scope: str) -> Labels:
    """What is cached of a source for a module belongs to."""
    debug_id = str(wanted.debug_id) if wanted.debug_id else ""
    return Labels(source.id, source.cache_key, GLOBAL_SCOPE if source.shared else scope, debug_id, wanted.code_id or "")


def known(store: Store, place: Place) -> ObjectFile | Miss | None:
    """What the cache knows of a place; reads one small file."""
    found = store.objects.read(place.key)
    if found is None or isinstance(found, Miss):
        return found
    try:
        return _decoder.decode(found)
    except msgspec.DecodeError:
        return None


def obtain(store: Store, place: Place, deadline: Deadline, *, symcache: bool = False) -> Outcome:
    """Fetch the file of a place unless it is known, one process at a time. Raises DeadlineExceeded.

    `symcache`: convert a small one at once.
    """
    try:
        with store.objects.exclusive(place.key, deadline) as path:
            return known(store, place) or _make(store, place, path, deadline, symcache)
    except (OSError, ConverterUnavailable) as error:
        return InternalFailure.of(error)


def present(store: Store, place: Place, file: ObjectFile, deadline: Deadline) -> ObjectFile | None:
    """Make sure that the file itself lies whole in the cache, fetching it again if need be; None if that fails."""
    path = store.objects.path(place.key)
    if _digest(path) == file.digest:
        keep_alive(path, path.stat().st_mtime)
        return file
    store.objects.forget(place.key)
    again = obtain(store, place, deadline)
    return again if isinstance(again, ObjectFile) else None


def choose_object(file: ObjectFile, wanted: Wanted) -> ObjectFacts | None:
    """The object of a file that belongs to the module. A file with a single object is taken at its word."""
    if file.total == 1:
        return file.objects[0]
    return next((facts for facts in file.objects if _belongs(facts, wanted)), None)


def _belongs(facts: ObjectFacts, wanted: Wanted) -> bool:
    if wanted.debug_id is not None:
        own = DebugId.parse(facts.debug_id)
        asked = wanted.debug_id
        return own is not None and own.uuid == asked.uuid and own.appendix >= asked.appendix
    return wanted.code_id is not None and wanted.code_id == facts.code_id


def _make(store: Store, place: Place, path: Path, deadline: Deadline, symcache: bool) -> ObjectFile | Miss:
    work = partial(_download, store, place, path, deadline, symcache)
    return made_or_missed(store.objects, place.key, place.labels, work)


def _download(store: Store, place: Place, path: Path, deadline: Deadline, wants_symcache: bool) -> ObjectFile:
    began = time.time()
    with Draft(path) as raw, Draft(path) as unpacked, Draft(path) as symcache:
        shared = _shared(store, place, raw, deadline)
        unpacks = shared is None and _fetch(store, place, raw, unpacked, deadline)
        finished, began = (unpacked if unpacks else raw).path, began if shared is None else shared
        inspected = _inspected(store, finished, symcache if wants_symcache else None, deadline)
        if not inspected.objects:
            raise LookupFailure(FailureKind.MALFORMED, "the file holds no object")
        vcs = _version_control(finished, inspected.objects)
        file = ObjectFile(inspected.objects, inspected.total, _digest(finished), began, vcs)
        publish(finished, path)
        store.objects.write_facts(place.key, msgspec.json.encode(file), place.labels, created=began)
        if inspected.symcache:
            _keep_symcache(store, place, file, symcache, deadline)
    if shared is None:
        offer_file(store, store.objects, place.key, began)
    return file


def _inspected(store: Store, finished: Path, symcache: Draft | None, deadline: Deadline) -> Inspected:
    """The objects of a file; of a small one the symcache too, where starting another job takes longer than making it.

    Hosts that share a cache take symcaches from each other instead.
    """
    if symcache is None or store.shared is not None or finished.stat().st_size > AT_ONCE_BYTES:
        return store.converter.inspect(finished, deadline)
    symcache.file.flush()
    return store.converter.inspect_and_make(finished, symcache.path, deadline)


def _keep_symcache(store: Store, place: Place, file: ObjectFile, made: Draft, deadline: Deadline) -> None:
    """Put a symcache where whoever asks for one looks first. That it cannot be kept, they notice."""
    key = derived_key(SYMCACHE_NAME, place.key, file.digest, str(file.objects[0].index))
    with suppress(OSError), store.symcaches.exclusive(key, deadline) as target:
        seal(made.file)
        publish(made.path, target)
        store.symcaches.label(key, place.labels)


def _shared(store: Store, place: Place, raw: Draft, deadline: Deadline) -> float | None:
    if store.shared is None:
        return None
    return shared_file(store, store.objects, place.key, place.labels, raw.file, deadline)


def _fetch(store: Store, place: Place, raw: Draft, unpacked: Draft, deadline: Deadline) -> bool:
    """Ask the source, and say whether what it gave had to be unpacked."""
    # Sources only write, seek and truncate, and so does who unpacks.
    place.source.fetch(place.location, place.wanted, cast(BinaryIO, Bounded(raw, store.max_download_bytes)), deadline)
    raw.file.flush()
    packed = decompress(raw.file, cast(BinaryIO, unpacked), max_bytes=store.max_download_bytes)
    if packed:
        unpacked.file.flush()
    return packed


def _version_control(path: Path, objects: Sequence[ObjectFacts]) -> str | None:
    """What a Windows PDB says about its sources. That it cannot be read as one spoils nothing else."""
    if not any(facts.file_format == PDB for facts in objects):
        return None
    try:
        with open(path, "rb") as file:
            found = version_control(mapped(file))
    except FormatError:
        return None
    return found.value if found else None


def _digest(path: Path) -> str:
    """Hex digest of a file's content, empty when it is not there."""
    digest = hashlib.blake2b(digest_size=32)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def expiry(outcome: Outcome) -> float:
    """When it is worth asking again, in seconds since the epoch; infinite for a file that is there."""
    match outcome:
        case Miss():
            return outcome.expires
        case InternalFailure():
            return time.time() + PASSING_SECONDS
        case _:
            return float("inf")
