"""Buckets of S3 and Google Cloud Storage as places for the shared cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, Trust, WebRequest, session, unreachable
from engine.outgoing.amazon import S3Access, s3_client
from engine.outgoing.connections import current_deadline
from engine.outgoing.failures import explain
from engine.outgoing.google import GoogleAccess, authorization
from engine.outgoing.transfer import stream


@dataclass(frozen=True, slots=True)
class S3Shelter:
    """Objects below `prefix` of a bucket; the operator's, so it may lie in the operator's network."""

    access: S3Access
    bucket: str
    prefix: str = ""
    trust: Trust = Trust.ALL

    def get(self, name: str, target: BinaryIO, deadline: Deadline) -> None:
        with self._calling(deadline) as client:
            answer = client.get_object(Bucket=self.bucket, Key=self.prefix + name)
            with answer["Body"]._raw_stream as raw:
                for chunk in stream(raw, deadline, decode=False):
                    target.write(chunk)

    def put(self, name: str, source: BinaryIO, size: int, deadline: Deadline) -> None:
        with self._calling(deadline) as client:
            client.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=source, ContentLength=size)

    @contextmanager
    def _calling(self, deadline: Deadline) -> Iterator[Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        token = current_deadline.set(deadline)
        try:
            yield s3_client(self.access, self.trust, owner="shared cache")
        except (BotoCoreError, ClientError) as error:
            raise explain(error) from None
        finally:
            current_deadline.reset(token)


@dataclass(frozen=True, slots=True)
class GcsShelter:
    """Objects below `prefix` of a bucket; `access` has to have the scope to write."""

    access: GoogleAccess
    bucket: str
    prefix: str = ""
    trust: Trust = Trust.ALL

    def get(self, name: str, target: BinaryIO, deadline: Deadline) -> None:
        url = self.access.object_url(self.bucket, self.prefix + name)
        with self._request(url, deadline).open(None, deadline) as reply:
            if reply.status != 200:
                raise LookupFailure(FailureKind.NOT_FOUND)
            for chunk in reply.chunks():
                target.write(chunk)

    def put(self, name: str, source: BinaryIO, size: int, deadline: Deadline) -> None:
        url = self.access.upload_url(self.bucket, self.prefix + name)
        with self._request(url, deadline, source).open(None, deadline) as reply:
            if reply.status != 200:
                raise unreachable(str(reply))

    def _request(self, url: str, deadline: Deadline, body: BinaryIO | None = None) -> WebRequest:
        headers = authorization(self.access, self.trust, deadline)
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        return WebRequest(session(self.trust), url, headers, body=body)
