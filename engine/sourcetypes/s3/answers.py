"""What the answers of S3 mean. Of what the server writes only its status and known codes are taken over."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import PartRefused, unreachable
from engine.outgoing.amazon import NO_CREDENTIALS
from engine.outgoing.failures import explain

NO_LIST = "the credentials may not list the bucket, so a missing file cannot be told from a refused one"
MAY_LIST = "the credentials may list the bucket but not read this file"
DENIED = "AccessDenied"

_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "KeyTooLongError", "MethodNotAllowed", "NotFound"})
_REGION = re.compile(r"\A[a-z0-9-]{1,40}\Z")
_OTHER_REGION = "the bucket lies in another region"
_MEANINGS = {
    "NoSuchBucket": "the bucket does not exist",
    "InvalidBucketName": "the bucket's name cannot be one",
    "InvalidAccessKeyId": "the access key is not known",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "the credentials are not valid",
    "RequestTimeTooSkewed": "the clock of this host differs too much from the server's",
    "PermanentRedirect": _OTHER_REGION,
    "TemporaryRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "InvalidObjectState": "the file is archived and has to be restored first",
    "AllAccessDisabled": "all access to the bucket is disabled",
}


def code_of(error: Any) -> str:
    """The error code of a ClientError of the library."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def phrase(status: int) -> str:
    """The standard words for a status; the library drops those that the server sent."""
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else ""


def refused(status: int, meaning: str = "") -> LookupFailure:
    line = f"{status} {phrase(status)}".strip()
    return LookupFailure(FailureKind.REFUSED, f"{line} ({meaning})" if meaning else line)


def judge_error(error: Any, *, of_part: bool) -> LookupFailure | PartRefused:
    """What a ClientError means for the file that was asked for."""
    status, code = status_of(error), code_of(error)
    if of_part and status in (412, 416):
        return PartRefused()
    if code in _MEANINGS:
        return refused(status, _region_of(error) if _MEANINGS[code] == _OTHER_REGION else _MEANINGS[code])
    if code in _ABSENT or status == HTTPStatus.NOT_FOUND:
        return LookupFailure(FailureKind.NOT_FOUND)
    if 300 <= status < 400:
        return refused(status, "the endpoint sends elsewhere")
    if 400 <= status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
        return refused(status)
    return unreachable(f"{status} {phrase(status)}".strip())


def _region_of(error: Any) -> str:
    """Where the bucket lies, if the server says so."""
    region = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    return f"the bucket lies in the region {region}" if _REGION.match(region) else _OTHER_REGION


def judge_library(error: Exception) -> LookupFailure:
    """What an error means that the library raised by itself."""
    name = type(error).__name__
    if name in ("NoCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError"):
        return LookupFailure(FailureKind.NOT_CONFIGURED, NO_CREDENTIALS)
    if name == "ParamValidationError":
        return LookupFailure(FailureKind.NOT_CONFIGURED, "the bucket's name cannot be one")
    if name == "ResponseParserError":
        return unreachable("the server does not answer as S3 does")
    return explain(error)
