"""Blobs in a bucket of Google Cloud Storage, through the one door to the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from core.blobs.base import NEVER, StoredKey, checked_key, checked_room
from core.blobs.errors import BlobMissing, StoreUnavailable
from core.blobs.incoming import Incoming
from core.blobs.local import Spool
from engine.errors import LookupFailure
from engine.outgoing import Deadline, Reply, Trust, WebRequest, read_small, session
from engine.outgoing.google import GoogleAccess, authorization, forget_token

_ANSWER_BYTES: Final = 1 << 20
_PAGE_BYTES: Final = 16 << 20
_UNSATISFIABLE: Final = 416


class _Metadata(msgspec.Struct):
    """What the service says of an object; it writes 64-bit numbers as texts."""

    size: str | int


class _Listed(msgspec.Struct):
    name: str
    updated: datetime


class _Page(msgspec.Struct):
    items: list[_Listed] = []
    next: str = msgspec.field(name="nextPageToken", default="")


@dataclass(frozen=True, slots=True)
class GcsBucket:
    """Objects below `prefix` (empty, or ending with a slash). `access` has to have the scope to write."""

    access: GoogleAccess
    name: str
    prefix: str = ""


class GcsStore(Spool):
    """Objects of one bucket, which is the operator's and so may lie in the operator's network."""

    def __init__(self, bucket: GcsBucket, spool: Path, trust: Trust = Trust.ALL) -> None:
        super().__init__(spool)
        self._bucket = bucket
        self._trust = trust

    def keep(self, incoming: Incoming, key: str) -> None:
        """As the interface says; an object appears when all of it is there."""
        incoming.finish()
        url = self._bucket.access.upload_url(self._bucket.name, self._name(key))
        with open(incoming.path, "rb") as file, self._asking(url, NEVER, body=file):
            pass

    def pieces(self, key: str, start: int = 0, size: int | None = None, deadline: Deadline = NEVER) -> Iterator[bytes]:
        """As the interface says."""
        if size == 0:
            return
        last = "" if size is None else start + size - 1
        asked = {"Range": f"bytes={start}-{last}"} if start or size is not None else {}
        url = self._bucket.access.object_url(self._bucket.name, self._name(key))
        with self._asking(url, deadline, asked) as reply:
            if reply.status != _UNSATISFIABLE:
                yield from reply.chunks()

    def size(self, key: str) -> int:
        """As the interface says."""
        url = self._bucket.access.metadata_url(self._bucket.name, self._name(key))
        with self._asking(url, NEVER) as reply:
            try:
                return int(msgspec.json.decode(read_small(reply, _ANSWER_BYTES), type=_Metadata).size)
            except (msgspec.DecodeError, ValueError):
                raise _unavailable("no size of an object") from None

    def exists(self, key: str) -> bool:
        """As the interface says."""
        try:
            self.size(key)
        except BlobMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """As the interface says."""
        url = self._bucket.access.metadata_url(self._bucket.name, self._name(key))
        try:
            with self._asking(url, NEVER, method="DELETE"):
                pass
        except BlobMissing:
            pass

    def local_path(self, key: str) -> Path | None:
        """Never a file of this host."""
        checked_key(key)
        return None

    def keys(self, room: str, after: str = "") -> Iterator[StoredKey]:
        """As the interface says, asked for a page at a time."""
        below = f"{self._bucket.prefix}{checked_room(room)}/"
        first = self._bucket.prefix + after if after else ""
        token = ""
        while True:
            page = self._page(self._bucket.access.page_url(self._bucket.name, below, first, token))
            for found in sorted(page.items, key=lambda item: item.name):
                # The service begins with the name itself.
                if found.name > first:
                    yield StoredKey(found.name.removeprefix(self._bucket.prefix), found.updated.timestamp())
            token = page.next
            if not token:
                return

    def _page(self, url: str) -> _Page:
        with self._asking(url, NEVER) as reply:
            try:
                return msgspec.json.decode(read_small(reply, _PAGE_BYTES), type=_Page)
            except msgspec.DecodeError:
                raise _unavailable("no list of objects") from None

    def _name(self, key: str) -> str:
        return self._bucket.prefix + checked_key(key)

    @contextmanager
    def _asking(
        self,
        url: str,
        deadline: Deadline,
        headers: dict[str, str] | None = None,
        *,
        body: BinaryIO | None = None,
        method: str | None = None,
    ) -> Iterator[Reply]:
        """The answer, when it is one that the store can go on with."""
        kind = {"Content-Type": "application/octet-stream"} if body is not None else {}
        try:
            sent = authorization(self._bucket.access, self._trust, deadline) | kind | (headers or {})
            request = WebRequest(session(self._trust), url, sent, body=body, method=method)
            with request.open(None, deadline) as reply:
                self._judge(reply)
                yield reply
        except LookupFailure as failure:
            deadline.check()
            raise _unavailable(failure.message) from failure

    def _judge(self, reply: Reply) -> None:
        if reply.status in (200, 204, 206, _UNSATISFIABLE):
            return
        if reply.status == 404:
            raise BlobMissing
        if reply.status == 401:
            forget_token(self._bucket.access, self._trust)
        raise _unavailable(str(reply))


def _unavailable(reason: str) -> StoreUnavailable:
    return StoreUnavailable(f"The store of files does not answer as it should: {reason}.")
