"""Blobs in a bucket of S3 or of what speaks its protocol, through the one door to the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.blobs.base import NEVER, StoredKey, checked_key, checked_room
from core.blobs.errors import BlobMissing, StoreUnavailable
from core.blobs.incoming import Incoming
from core.blobs.local import Spool
from engine.errors import LookupFailure
from engine.outgoing import Deadline, Trust
from engine.outgoing.amazon import S3Access, s3_client
from engine.outgoing.connections import current_deadline
from engine.outgoing.transfer import stream

# A part has to fit its time on a slow line, and 10,000 of them make the largest file.
_PART_BYTES: Final = 64 << 20
_PAGE: Final = 1_000
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_BEYOND_END: Final = "InvalidRange"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and what the names of its objects begin with (empty, or with a slash at the end)."""

    access: S3Access
    name: str
    prefix: str = ""


class S3Store(Spool):
    """Objects of one bucket, which is the operator's and so may lie in the operator's network."""

    def __init__(self, bucket: Bucket, spool: Path, trust: Trust = Trust.ALL) -> None:
        super().__init__(spool)
        self._bucket = bucket
        self._trust = trust

    def keep(self, incoming: Incoming, key: str) -> None:
        """As the interface says; large content goes in parts and appears when the last of them is there."""
        from boto3.s3.transfer import TransferConfig

        incoming.finish()
        # Threads of the library would not know the deadline.
        config = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, use_threads=False)
        with self._asking(NEVER) as client, open(incoming.path, "rb") as file:
            client.upload_fileobj(file, self._bucket.name, self._name(key), Config=config)

    def pieces(self, key: str, start: int = 0, size: int | None = None, deadline: Deadline = NEVER) -> Iterator[bytes]:
        """As the interface says."""
        if size == 0:
            return
        last = "" if size is None else start + size - 1
        asked = {"Range": f"bytes={start}-{last}"} if start or size is not None else {}
        with self._asking(deadline) as client:
            try:
                answer = client.get_object(Bucket=self._bucket.name, Key=self._name(key), **asked)
            except client.exceptions.ClientError as error:
                if _code(error) == _BEYOND_END:
                    return
                raise
            with answer["Body"]._raw_stream as raw:
                yield from stream(raw, deadline, decode=False)

    def size(self, key: str) -> int:
        """As the interface says."""
        with self._asking(NEVER) as client:
            return int(client.head_object(Bucket=self._bucket.name, Key=self._name(key))["ContentLength"])

    def exists(self, key: str) -> bool:
        """As the interface says."""
        try:
            self.size(key)
        except BlobMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """As the interface says."""
        with self._asking(NEVER) as client:
            client.delete_object(Bucket=self._bucket.name, Key=self._name(key))

    def local_path(self, key: str) -> Path | None:
        """Never a file of this host."""
        checked_key(key)
        return None

    def keys(self, room: str, after: str = "") -> Iterator[StoredKey]:
        """As the interface says, asked for a page at a time."""
        below = f"{self._bucket.prefix}{checked_room(room)}/"
        # What lies behind a key is asked for by the key, so that no page depends on the one before.
        last = self._bucket.prefix + after if after else below
        while True:
            with self._asking(NEVER) as client:
                page = client.list_objects_v2(Bucket=self._bucket.name, Prefix=below, StartAfter=last, MaxKeys=_PAGE)
            for found in page.get("Contents", ()):
                last = found["Key"]
                yield StoredKey(last.removeprefix(self._bucket.prefix), found["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return

    def _name(self, key: str) -> str:
        return self._bucket.prefix + checked_key(key)

    @contextmanager
    def _asking(self, deadline: Deadline) -> Iterator[Any]:
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError

        token = current_deadline.set(deadline)
        try:
            yield s3_client(self._bucket.access, self._trust, owner="blobs")
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise BlobMissing from None
            raise _unavailable(_code(error)) from error
        except (BotoCoreError, S3UploadFailedError, LookupFailure) as error:
            deadline.check()
            raise _unavailable(type(error).__name__) from error
        finally:
            current_deadline.reset(token)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(reason: str) -> StoreUnavailable:
    return StoreUnavailable(f"The store of files does not answer as it should: {reason or 'no reason given'}.")
