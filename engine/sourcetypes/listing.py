"""Looking into a bucket, for people who set up a source. Lookups never list."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, read_small, unreachable
from engine.outgoing.connections import current_deadline
from engine.sourcetypes.answers import judge
from engine.sourcetypes.base import Source
from engine.sourcetypes.gcs import GcsSource
from engine.sourcetypes.s3 import S3Source

MOST = 500
_ANSWER_BYTES = 4 << 20


class _Object(msgspec.Struct, frozen=True):
    name: str


class _Objects(msgspec.Struct, frozen=True):
    items: tuple[_Object, ...] = ()


def can_list(source: Source) -> bool:
    """Whether this type of source has a list of its files."""
    return isinstance(source, (S3Source, GcsSource))


def list_paths(source: Source, deadline: Deadline) -> list[str]:
    """Up to 500 paths of files, relative to the source. Raises LookupFailure."""
    if isinstance(source, S3Source):
        found, prefix = _s3(source, deadline), source._prefix
    elif isinstance(source, GcsSource):
        found, prefix = _gcs(source, deadline), source._prefix
    else:
        raise LookupFailure(FailureKind.NOT_CONFIGURED, "this type of source has no list")
    start = f"{prefix}/" if prefix else ""
    return [name.removeprefix(start) for name in found if name.startswith(start) and not name.endswith("/")]


def _s3(source: S3Source, deadline: Deadline) -> list[str]:
    from botocore.exceptions import BotoCoreError, ClientError

    from engine.sourcetypes.s3.answers import code_of, judge_error, judge_library, refused, status_of

    token = current_deadline.set(deadline)
    try:
        answer = source._client().list_objects_v2(Bucket=source._bucket, Prefix=source._prefix, MaxKeys=MOST)
        return [entry["Key"] for entry in answer.get("Contents", ())]
    except ClientError as error:
        if code_of(error) == "AccessDenied":
            raise refused(status_of(error), "the credentials may not list the bucket") from None
        failure = judge_error(error, of_part=False)
        raise failure if isinstance(failure, LookupFailure) else unreachable("the server contradicts itself") from None
    except BotoCoreError as error:
        raise judge_library(error) from None
    finally:
        current_deadline.reset(token)


def _gcs(source: GcsSource, deadline: Deadline) -> list[str]:
    access = source._access
    prefix = quote(source._prefix, safe="")
    url = f"{access.storage}/storage/v1/b/{quote(source._bucket, safe='')}/o?maxResults={MOST}&prefix={prefix}"
    with source._request(url, deadline).open(None, deadline) as reply:
        if reply.status == 403:
            raise LookupFailure(FailureKind.REFUSED, f"{reply} (the account may not list the bucket)")
        judge(reply)
        content = read_small(reply, _ANSWER_BYTES)
    try:
        return [entry.name for entry in msgspec.json.decode(content, type=_Objects).items]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise unreachable("the list is not as agreed") from None
