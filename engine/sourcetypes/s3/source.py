"""Files in a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from engine.errors import LookupFailure
from engine.modules import Wanted
from engine.outgoing import Deadline, Opener, Part, PartRefused, Reply
from engine.outgoing.amazon import S3Access, s3_client
from engine.outgoing.connections import current_deadline
from engine.outgoing.remembered import Remembered
from engine.outgoing.transfer import stream
from engine.sourcetypes.base import Opening
from engine.sourcetypes.config import S3Config
from engine.sourcetypes.files import FilesSource
from engine.sourcetypes.s3.answers import (
    DENIED,
    MAY_LIST,
    NO_LIST,
    code_of,
    judge_error,
    judge_library,
    phrase,
    refused,
    status_of,
)
from engine.sourcetypes.tries import Host

RIGHTS_SECONDS = 600.0
_may_list: Remembered[bool] = Remembered(4096)


class S3Source(FilesSource):
    """Asks for the objects of one bucket."""

    def __init__(self, config: S3Config, opening: Opening) -> None:
        super().__init__(config, opening)
        self._bucket = config.bucket
        self._prefix = config.prefix.strip("/")
        self._access = _access(config)

    def show(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._key(path)}"

    def host(self) -> Host:
        name = urlsplit(self._access.endpoint).hostname or f"{self._bucket}.s3.{self._access.region}.amazonaws.com"
        return Host.of(self._opening, self.id, name)

    def opener(self, path: str, wanted: Wanted) -> Opener:
        key = self._key(path)

        @contextmanager
        def open_part(part: Part | None, deadline: Deadline) -> Iterator[Reply]:
            token = current_deadline.set(deadline)
            try:
                answer = self._get(key, part)
                raw = answer["Body"]._raw_stream
                with raw:
                    yield _reply(answer, partial(stream, raw, deadline, decode=False))
            finally:
                current_deadline.reset(token)

        return open_part

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _client(self) -> Any:
        return s3_client(self._access, self._opening.trust, owner=self.cache_key)

    def _get(self, key: str, part: Part | None) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        asked = {"Range": f"bytes={part.first}-{part.last}"} if part else {}
        if part and part.validator.startswith('"'):
            asked["IfMatch"] = part.validator
        try:
            return self._client().get_object(Bucket=self._bucket, Key=key, **asked)
        except ClientError as error:
            raise self._judge(error, part) from None
        except BotoCoreError as error:
            raise judge_library(error) from None

    def _judge(self, error: Any, part: Part | None) -> LookupFailure | PartRefused:
        if code_of(error) != DENIED:
            return judge_error(error, of_part=part is not None)
        may_list = self._list_right()
        meaning = "" if may_list is None else MAY_LIST if may_list else NO_LIST
        return refused(status_of(error), meaning)

    def _list_right(self) -> bool | None:
        """Whether the credentials may list the bucket; None when that cannot be found out."""
        from botocore.exceptions import BotoCoreError, ClientError

        known = _may_list.get(self.cache_key)
        if known is not None:
            return known
        try:
            self._client().list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
            found = True
        except ClientError as error:
            if code_of(error) != DENIED:
                return None
            found = False
        except (BotoCoreError, LookupFailure):
            return None
        _may_list.put(self.cache_key, found, RIGHTS_SECONDS)
        return found


def _access(config: S3Config) -> S3Access:
    region, endpoint = (config.region, "") if isinstance(config.region, str) else config.region
    if config.aws_credentials_provider == "container":
        return S3Access(region, endpoint, container=True)
    return S3Access(region, endpoint, config.access_key, config.secret_key)


def _reply(answer: Any, chunks: Any) -> Reply:
    """The object as it is stored: a content encoding is a property of the object here, and nothing undoes it."""
    metadata = answer["ResponseMetadata"]
    headers = {name: value for name, value in metadata["HTTPHeaders"].items() if name != "content-encoding"}
    return Reply(metadata["HTTPStatusCode"], phrase(metadata["HTTPStatusCode"]), headers, chunks)
