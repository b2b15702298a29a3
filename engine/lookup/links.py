"""Source files that lie on the web, where a debug file says they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from urllib.parse import urlsplit

from engine.caches import Labels, Miss, derived_key
from engine.lookup.answer import failed_download
from engine.lookup.crew import run_all
from engine.lookup.model import Candidate, Download, DownloadStatus, Features
from engine.lookup.objects import InternalFailure
from engine.lookup.origins import is_allowed
from engine.lookup.plain_files import Errand, PlainFile, obtain_plain
from engine.lookup.store import Store
from engine.outgoing import Deadline, Trust, WebRequest, session
from engine.sourcetypes.answers import judged
from engine.sourcetypes.tries import Host, fetch_file

SOURCE_LINK = "sourcelink"
MAX_SOURCE_BYTES = 32 << 20
# Framing belongs to the connection, and whole files are asked for.
_NOT_SENT = frozenset({"connection", "content-length", "expect", "host", "range", "te", "trailer", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class LinkDoor:
    """How links may be followed: where to, and with which headers for which origins. Headers may hold secrets."""

    trust: Trust = Trust.NONE
    headers: tuple[tuple[str, str], ...] = ()
    origins: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<LinkDoor {self.origins!r}>"

    def headers_for(self, url: str) -> dict[str, str]:
        """What goes along with a request for `url`."""
        if not self.headers or not is_allowed(url, self.origins):
            return {}
        return {name: value for name, value in self.headers if name.lower() not in _NOT_SENT}


@dataclass(frozen=True, slots=True)
class Linked:
    """One link and what came of it. `expires` is when a link that failed is worth following again."""

    url: str
    file: PlainFile | None
    candidate: Candidate
    expires: float


def follow_links(
    urls: Sequence[str], labels: Labels, door: LinkDoor, *, store: Store, deadline: Deadline
) -> dict[str, Linked]:
    """The files behind links, by URL, asked for at the same time. Raises DeadlineExceeded.

    They are kept with and for what `labels` say, and apart for each way through the door.
    """
    tasks = [partial(_follow, url, labels, door, store, deadline) for url in urls]
    return dict(zip(urls, run_all(tasks, deadline), strict=True)) if tasks else {}


def _follow(url: str, labels: Labels, door: LinkDoor, store: Store, deadline: Deadline) -> Linked:
    headers = door.headers_for(url)
    apart = [labels.source_key, url, _written(door.trust), *(text for pair in sorted(headers.items()) for text in pair)]
    request = WebRequest(session(door.trust), url, headers)
    host = Host(labels.owner, (urlsplit(url).hostname or "").lower())

    def fetch(target: BinaryIO) -> None:
        fetch_file(judged(lambda _: request), target, host, deadline)

    errand = Errand(derived_key("link", labels.scope, *apart), labels, fetch, MAX_SOURCE_BYTES)
    try:
        return _linked(url, obtain_plain(store.source_files, errand, deadline))
    except OSError as error:
        return _linked(url, InternalFailure.of(error))


def _linked(url: str, outcome: PlainFile | Miss | InternalFailure) -> Linked:
    if isinstance(outcome, PlainFile):
        download = Download(DownloadStatus.OK, Features(has_sources=True))
        return Linked(url, outcome, Candidate(SOURCE_LINK, url, download), float("inf"))
    expires = outcome.expires if isinstance(outcome, Miss) else 0.0
    return Linked(url, None, Candidate(SOURCE_LINK, url, failed_download(outcome)), expires)


def _written(trust: Trust) -> str:
    networks = sorted(map(str, trust.networks))
    return "all" if trust.everything else ",".join([*networks, *sorted(trust.hosts)])
