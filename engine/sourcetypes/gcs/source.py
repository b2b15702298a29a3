"""Files in a bucket of Google Cloud Storage."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.errors import FailureKind, LookupFailure
from engine.modules import Wanted
from engine.outgoing import Deadline, Opener, Part, PartRefused, Reply, WebRequest, read_small, session, unreachable
from engine.outgoing.connections import current_deadline
from engine.outgoing.google import STORAGE, TOKENS, GoogleAccess, authorization, forget_token
from engine.outgoing.remembered import Remembered
from engine.sourcetypes.answers import UNSATISFIABLE, judged
from engine.sourcetypes.base import Opening
from engine.sourcetypes.config import GcsConfig
from engine.sourcetypes.files import FilesSource
from engine.sourcetypes.tries import Host

RIGHTS_SECONDS = 600.0
LIST_SECONDS = 10.0
ANSWER_BYTES = 1 << 20
NO_LIST = "the account may not list the bucket, so a missing file cannot be told from a refused one"
MAY_LIST = "the account may list the bucket but not read this file"
_may_list: Remembered[bool] = Remembered(4096)


class GcsSource(FilesSource):
    """Asks for the objects of one bucket. `storage` and `tokens` name other servers than Google's."""

    def __init__(self, config: GcsConfig, opening: Opening, *, storage: str = STORAGE, tokens: str = TOKENS) -> None:
        super().__init__(config, opening)
        self._bucket = config.bucket
        self._prefix = config.prefix.strip("/")
        self._access = GoogleAccess(
            client_email=config.client_email,
            private_key=config.private_key,
            bearer_token=config.bearer_token,
            storage=storage,
            tokens=tokens,
        )

    def show(self, path: str) -> str:
        return f"gs://{self._bucket}/{self._name(path)}"

    def host(self) -> Host:
        return Host.of(self._opening, self.id, urlsplit(self._access.storage).hostname or "")

    def opener(self, path: str, wanted: Wanted) -> Opener:
        url = self._access.object_url(self._bucket, self._name(path))
        return judged(lambda deadline: self._request(url, deadline), self._judge)

    def _name(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _request(self, url: str, deadline: Deadline) -> WebRequest:
        trust = self._opening.trust
        return WebRequest(session(trust), url, authorization(self._access, trust, deadline))

    def _judge(self, reply: Reply, part: Part | None) -> None:
        if reply.status == 200 or (reply.status == 206 and part):
            return
        if part and reply.status == UNSATISFIABLE:
            raise PartRefused
        if reply.status == 404:
            raise self._absent(reply)
        if reply.status == 401:
            forget_token(self._access, self._opening.trust)
            raise LookupFailure(FailureKind.REFUSED, f"{reply} (the credentials are not valid)")
        if reply.status == 403:
            raise self._refused(reply)
        if 400 <= reply.status < 500 and reply.status != 429:
            raise LookupFailure(FailureKind.REFUSED, str(reply))
        raise unreachable(str(reply))

    def _absent(self, reply: Reply) -> LookupFailure:
        if b"bucket does not exist" in read_small(reply, ANSWER_BYTES):
            return LookupFailure(FailureKind.REFUSED, f"{reply} (the bucket does not exist)")
        return LookupFailure(FailureKind.NOT_FOUND)

    def _refused(self, reply: Reply) -> LookupFailure:
        may_list = self._list_right()
        meaning = "" if may_list is None else f" ({MAY_LIST if may_list else NO_LIST})"
        return LookupFailure(FailureKind.REFUSED, f"{reply}{meaning}")

    def _list_right(self) -> bool | None:
        """Whether the account may list the bucket; None when that cannot be found out."""
        known = _may_list.get(self.cache_key)
        if known is not None:
            return known
        limit = current_deadline.get().at_most(LIST_SECONDS)
        try:
            request = self._request(self._access.list_url(self._bucket, self._prefix), limit)
            with request.open(None, limit) as reply:
                status = reply.status
        except LookupFailure:
            return None
        if status not in (200, 403):
            return None
        _may_list.put(self.cache_key, status == 200, RIGHTS_SECONDS)
        return status == 200
