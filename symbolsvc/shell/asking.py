"""From the words of the command line to sources that can be asked, and what to say where they were of no help."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from engine.lookup.diagnosis import Asked, Unasked
from engine.lookup.store import Store
from engine.outgoing import Deadline, Trust
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import BadSource, HttpConfig, LayoutType, SourceConfig, decode_sources
from engine.sourcetypes.registry import open_source
from symbolsvc.shell.arguments import Options, UsageError
from symbolsvc.shell.folder import OWNER, FolderSource
from symbolsvc.shell.progress import Progress, WatchedSource
from symbolsvc.shell.scan import scan

_DEBUGINFOD_PATH: Final = "buildid"
_DEFAULT_LAYOUTS: Final = (LayoutType.NATIVE, LayoutType.SYMSTORE)


@dataclass(frozen=True, slots=True)
class Stored:
    """The sources of a project, as `--project` adds them."""

    sources: tuple[Source, ...] = ()
    asked: tuple[Asked, ...] = ()
    unasked: tuple[Unasked, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked for files: `sources` in order, and the directories among them."""

    sources: tuple[Source, ...]
    asked: tuple[Asked, ...]
    unasked: tuple[Unasked, ...]
    folders: tuple[FolderSource, ...]
    scope: str


def open_sources(
    options: Options, named: bytes | None, stored: Stored, store: Store, deadline: Deadline, progress: Progress
) -> Asking:
    """The sources of the command line, then the project's; without either those that the request names.

    `named` are the request's sources as JSON. Raises UsageError, BadSource, DeadlineExceeded, ConverterUnavailable.
    """
    folders = [_folder(word, store, deadline, progress) for word in options.sources if not is_address(word)]
    configs = [config for word in options.sources if is_address(word) for config in _servers(word, options.layouts)]
    if not options.sources and options.project is None and named is not None:
        configs = list(decode_sources(named, operator=False))
    own: list[Source] = [*folders, *(_opened(config) for config in configs)]
    asked = [Asked(folder.id, folder.id, None) for folder in folders]
    asked += [Asked(config.id, config.id, config) for config in configs]
    return Asking(
        sources=tuple(WatchedSource(source, progress) for source in (*own, *stored.sources)),
        asked=(*asked, *stored.asked),
        unasked=stored.unasked,
        folders=tuple(folders),
        scope=f"{OWNER}-{uuid4()}" if options.fresh else OWNER,
    )


def is_address(word: str) -> bool:
    return word.lower().startswith(("http://", "https://"))


def _folder(word: str, store: Store, deadline: Deadline, progress: Progress) -> FolderSource:
    root = Path(word)
    if not root.exists():
        raise UsageError(f"--source: there is no directory or file {word}")
    return FolderSource(word, scan(root, store.converter, deadline, progress.tell))


def _servers(url: str, layouts: Iterable[LayoutType]) -> list[SourceConfig]:
    """One configuration for each layout. Raises UsageError."""
    chosen = tuple(layouts) or _layouts_of(url)
    given = [
        {"type": "http", "id": f"{url} ({layout})", "url": url, "layout": {"type": layout.value}} for layout in chosen
    ]
    try:
        return list(decode_sources(given, operator=True))
    except BadSource as error:
        raise UsageError(f"--source {url}: {error.problem}") from None


def _layouts_of(url: str) -> tuple[LayoutType, ...]:
    """debuginfod servers are known by the path that they all have."""
    path = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return (LayoutType.DEBUGINFOD,) if path == _DEBUGINFOD_PATH else _DEFAULT_LAYOUTS


def _opened(config: SourceConfig) -> Source:
    """Whoever sits at the shell may reach what the host reaches; a request's own sources only what is public."""
    trust = Trust.ALL if isinstance(config, HttpConfig) and config.id.startswith(config.url) else Trust.NONE
    key = hashlib.sha256(f"{OWNER} {os.getuid()}".encode()).digest()
    return open_source(config, owner=OWNER, trust=trust, digest_key=key)


def sources_in(request: bytes) -> bytes | None:
    """The sources that a JSON request names, None where it names none."""
    found = msgspec.json.decode(request, type=_Named).sources
    return None if bytes(found) in (b"", b"null") else bytes(found)


class _Named(msgspec.Struct):
    sources: msgspec.Raw = msgspec.Raw(b"")
