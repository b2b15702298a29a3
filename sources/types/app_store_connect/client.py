"""Apple's API: the app, and the pages of its builds.

Only what Apple documents is asked for: `GET /v1/apps` and `GET /v1/builds` with the parts of each build included, which
is the only way to them. Signed tokens go to the configured host alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from engine.errors import LookupFailure
from engine.outgoing import Deadline, Reply, Trust, WebRequest, read_small, session
from engine.outgoing.transfer import origin
from sources.types.app_store_connect.access import TOKEN_SECONDS, AppStoreAccess, bearer
from sources.types.app_store_connect.problems import AppStoreFailure, Problem, of_transport
from sources.types.app_store_connect.wire import App, Apps, Build, Builds, Errors, builds_of

Answer = TypeVar("Answer", Apps, Builds)

REQUEST_SECONDS: Final = 60.0
ANSWER_BYTES: Final = 32 << 20
# A team's quota is shared with its other tools: a twentieth is left to them.
QUOTA_SHARE: Final = 20
QUOTA_PAUSE_SECONDS: Final = 900.0
_RENEW_SECONDS: Final = TOKEN_SECONDS * 0.8
_ERROR_BYTES: Final = 1 << 16
_APPS: Final = "/v1/apps"
_BUILDS: Final = "/v1/builds"
_QUERY: Final = re.compile(r"[!-~]{1,4096}")
_LIMIT: Final = re.compile(r"user-hour-lim:([0-9]{1,9})")
_REMAINING: Final = re.compile(r"user-hour-rem:([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class BuildPage:
    """Builds, latest first, and the query of the page that follows; empty after the last."""

    builds: tuple[Build, ...]
    following: str


class AppStore:
    """App Store Connect, asked with one key. Every method raises AppStoreFailure, and DeadlineExceeded."""

    def __init__(self, access: AppStoreAccess, url: str, trust: Trust) -> None:
        self._access = access
        self._base = url.rstrip("/")
        self._session = session(trust)
        self._token = ""
        self._signed_at = 0.0
        self._quota_is_low = False

    def __repr__(self) -> str:
        return f"<App Store Connect for app {self._access.app_id!r}>"

    def sign_in(self, deadline: Deadline) -> list[App]:
        """The apps that fit the source's ids, as far as one request tells: at most 200."""
        filters = {"filter[bundleId]": self._access.bundle_id} if self._access.bundle_id else {}
        filters = filters or {"filter[id]": self._access.app_id}
        query = urlencode({**filters, "fields[apps]": "name,bundleId", "limit": "200"})
        return self._ask(_APPS, query, Apps, deadline).data

    def pick(self, apps: list[App]) -> App:
        """The one app that the source is about, among those that `sign_in` found."""
        found = next((app for app in apps if app.id == self._access.app_id), None)
        if found is None:
            other = " with this bundleId" if self._access.bundle_id else ""
            raise AppStoreFailure(Problem.APP_MISSING, f"the key sees no app{other} whose Apple ID is appId")
        return found

    def builds(self, query: str, deadline: Deadline) -> BuildPage:
        """A page of the app's builds: the first for an empty query, else the one that `following` names."""
        page = self._ask(_BUILDS, query or self._first_page(), Builds, deadline)
        following = self._following(page.links.next)
        try:
            return BuildPage(builds_of(page), following)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _unexpected() from None

    def check_quota(self) -> None:
        """Raise AppStoreFailure (rate limited) when the last answer said that little of the hour's quota is left."""
        if self._quota_is_low:
            text = "the hourly quota of Apple's API is nearly used up"
            raise AppStoreFailure(Problem.RATE_LIMITED, text, retry_after=QUOTA_PAUSE_SECONDS)

    def _first_page(self) -> str:
        return urlencode(
            {
                "filter[app]": self._access.app_id,
                "include": "buildBundles",
                "fields[builds]": "version,uploadedDate,processingState,buildBundles",
                "fields[buildBundles]": "dSYMUrl",
                "limit[buildBundles]": "50",
                "limit": "200",
                "sort": "-uploadedDate",
            }
        )

    def _following(self, link: str | None) -> str:
        """The query of the next page's address, which must be another page of the same list at the same host.

        The request is then made of our own address and that query: readers of URLs do not agree on odd ones.
        """
        if not link:
            return ""
        try:
            own, next_ = urlsplit(self._base + _BUILDS), urlsplit(link)
            same = origin(next_) == origin(own) and next_.path == own.path and "@" not in next_.netloc
        except ValueError:
            same = False
        if not same or _QUERY.fullmatch(next_.query) is None:
            raise AppStoreFailure(Problem.ANSWER, "the list goes on at another address than Apple's, not followed")
        return next_.query

    def _ask(self, path: str, query: str, answer: type[Answer], deadline: Deadline) -> Answer:
        deadline.check()
        headers = {"Authorization": f"Bearer {self._bearer()}", "Accept": "application/json"}
        request = WebRequest(self._session, f"{self._base}{path}?{query}", headers)
        try:
            with request.open(None, deadline.at_most(REQUEST_SECONDS)) as reply:
                _judge(reply)
                self._quota_is_low = _quota_is_low(reply.headers)
                return _decoded(read_small(reply, ANSWER_BYTES), answer)
        except LookupFailure as error:
            failure = of_transport(error)
        # Raised out here, so that nothing of the libraries' stays attached.
        raise failure

    def _bearer(self) -> str:
        now = time.monotonic()
        if not self._token or now - self._signed_at > _RENEW_SECONDS:
            self._token, self._signed_at = bearer(self._access), now
        return self._token


def _decoded(body: bytes, answer: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unexpected() from None


def _unexpected() -> AppStoreFailure:
    return AppStoreFailure(Problem.ANSWER, "the answer is not what Apple documents")


def _judge(reply: Reply) -> None:
    """Let an answer with content pass. Raises AppStoreFailure for every other."""
    status = _words(reply.status)
    if reply.status == HTTPStatus.OK:
        return
    if reply.status == HTTPStatus.UNAUTHORIZED:
        raise AppStoreFailure(Problem.KEY_REFUSED, f"{status}: Apple does not accept the key")
    if reply.status == HTTPStatus.FORBIDDEN:
        raise _forbidden(status, _error_code(reply))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise AppStoreFailure(Problem.RATE_LIMITED, status, retry_after=retry_after(reply))
    if reply.status >= 500:
        raise AppStoreFailure(Problem.UNAVAILABLE, status, retry_after=retry_after(reply))
    code = _error_code(reply)
    raise AppStoreFailure(Problem.ANSWER, f"{status} ({code})" if code else status)


def _forbidden(status: str, code: str) -> AppStoreFailure:
    if "AGREEMENT" in code:
        return AppStoreFailure(Problem.AGREEMENT, f"{status}: an agreement with Apple is missing or has expired")
    return AppStoreFailure(Problem.FORBIDDEN, f"{status}: the key may not see builds")


def _error_code(reply: Reply) -> str:
    """Apple's word for the refusal; empty without one."""
    try:
        found = msgspec.json.decode(read_small(reply, _ERROR_BYTES), type=Errors).errors
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupFailure):
        return ""
    code = found[0].code if found else ""
    return code if re.fullmatch(r"[A-Z_.]{1,80}", code) else ""


def retry_after(reply: Reply) -> float | None:
    """How many seconds the server asks to be left alone for, given as a number or as a date; None if it does not."""
    text = reply.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _quota_is_low(headers: Mapping[str, str]) -> bool:
    text = headers.get("x-rate-limit", "")
    limit, remaining = _LIMIT.search(text), _REMAINING.search(text)
    if limit is None or remaining is None:
        return False
    return int(remaining[1]) * QUOTA_SHARE < int(limit[1])


def _words(status: int) -> str:
    """The status in our own words: a server's may hold anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
