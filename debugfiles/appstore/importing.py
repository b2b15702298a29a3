"""One run of an import: page by page through the builds, latest first, and each build's archives as they come by.

The addresses of archives are good for minutes, so they are never stored: a page that has become old is asked for again.
A run is a slice of some minutes, so that all sources get their turn; what is done is never done again.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from django.conf import settings

from core.database import release
from core.encryption import EncryptionError
from debugfiles.appstore import builds, services
from debugfiles.appstore.archives import store_archive
from debugfiles.appstore.keeping import KeptLease
from debugfiles.appstore.models import AppStoreBuild
from debugfiles.appstore.services import Lease, LeaseLost
from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.outgoing import Deadline, Trust
from projects.models import Project
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from sources.types.app_store_connect.access import AppStoreAccess, bearer, read_access
from sources.types.app_store_connect.archives import fetch_archive
from sources.types.app_store_connect.client import AppStore, BuildPage
from sources.types.app_store_connect.problems import AppStoreFailure, Problem, of_transport
from sources.types.app_store_connect.wire import Build, Bundle

log = logging.getLogger(__name__)

SLICE_SECONDS: Final = 600.0
ARCHIVE_SECONDS: Final = 1800.0
FRESH_SECONDS: Final = 300.0
MOST_PAGES: Final = 100
# When so many builds fail one after the other, it is not about the builds.
IN_A_ROW: Final = 3
_SPOOL: Final = "appstore"
_OURS: Final = frozenset({Problem.STORE, Problem.RATE_LIMITED, Problem.UNAVAILABLE})


def run_import(source_pk: UUID) -> None:
    """Import what is new of a source for some minutes, if that is due and nobody else does it."""
    lease = services.take(source_pk)
    if lease is None:
        return
    with KeptLease(lease) as kept:
        try:
            with suppress(LeaseLost):
                _run(kept)
        finally:
            services.give_up(lease)
            release()


def _run(kept: KeptLease) -> None:
    """Raises LeaseLost."""
    try:
        walked = _walked(_opened(kept))
    except DeadlineExceeded:
        services.pause(kept.lease)
    except AppStoreFailure as failure:
        log.warning("an App Store Connect import stops: %s", failure.details, extra=_told(kept.lease))
        services.fail(kept.lease, failure)
    except LeaseLost:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the row has to tell, and the next run has to wait
        log.exception("an App Store Connect import failed", extra=_told(kept.lease))
        services.fail(kept.lease, AppStoreFailure(Problem.INTERNAL, "the import itself failed"))
    else:
        services.succeed(kept.lease, walked=walked)


def _walked(run: _Run) -> bool:
    try:
        return run.walk()
    except DeadlineExceeded:
        if run.progressed:
            raise
    # Without the pause, a server that is too slow would be asked the same again and again.
    raise AppStoreFailure(Problem.UNAVAILABLE, "the list of builds comes too slowly")


def _told(lease: Lease) -> dict[str, str]:
    return {"source": str(lease.source_pk)}


def _opened(kept: KeptLease) -> _Run:
    with services.holding(kept.lease) as row:
        source, project = row.source, row.source.project
    if project is None:
        raise LeaseLost
    access = access_of(source)
    bearer(access)
    trust = Trust.parse(settings.ENVIRONMENT["ALLOWED_SOURCE_NETWORKS"], source.organization.slug)
    return _Run(kept, access, project, trust)


def access_of(source: SymbolSource) -> AppStoreAccess:
    """The key of a stored source, in clear. Raises AppStoreFailure."""
    try:
        return read_access(source.fields, reveal_secrets(source))
    except EncryptionError:
        text = "the stored private key cannot be decrypted"
    raise AppStoreFailure(Problem.KEY_UNREADABLE, text)


class _Run:
    """Everything raises AppStoreFailure, DeadlineExceeded when the slice is over, and LeaseLost."""

    def __init__(self, kept: KeptLease, access: AppStoreAccess, project: Project, trust: Trust) -> None:
        url = settings.ENVIRONMENT["APP_STORE_CONNECT_URL"]
        self._kept, self._project, self._trust = kept, project, trust
        self._store = AppStore(access, url, trust)
        self._plain = url.startswith("http:")
        self._deadline = Deadline.after(SLICE_SECONDS)
        self._in_a_row = 0
        self.progressed = False

    def walk(self) -> bool:
        """All pages, or those that may hold something new; whether the last page was reached."""
        app = self._store.pick(self._store.sign_in(self._question()))
        services.set_app(self._kept.lease, app.attributes.name or "")
        query, seen = "", set[str]()
        for _ in range(MOST_PAGES):
            page, nothing_new = self._page(query)
            if nothing_new:
                return False
            if not page.following or page.following in seen:
                return True
            seen.add(page.following)
            query = page.following
        return True

    def _page(self, query: str) -> tuple[BuildPage, bool]:
        """Import what a page offers. An old page is asked for again before its next build."""
        tried: set[str] = set()
        while True:
            page = self._store.builds(query, self._question())
            asked_at = time.monotonic()
            todo, nothing_new = builds.record_page(self._kept.lease, page.builds)
            for build in page.builds:
                if build.id in todo and build.id not in tried:
                    if time.monotonic() - asked_at > FRESH_SECONDS:
                        break
                    tried.add(build.id)
                    self._import(build)
            else:
                return page, nothing_new

    def _step(self) -> None:
        self._kept.check()
        self._deadline.check()

    def _question(self) -> Deadline:
        """Raise what ends the run before Apple is asked once more; the time that may take."""
        self._step()
        self._store.check_quota()
        release()
        return self._deadline

    def _import(self, build: Build) -> None:
        self._step()
        row = builds.begin(self._kept.lease, build.id)
        if row is None:
            return
        try:
            for bundle in build.bundles:
                if bundle.dsym_url and bundle.id not in row.parts:
                    self._part(row, bundle, bundle.dsym_url)
        except LookupFailure as failure:
            self._note(row, failure)
        else:
            self._in_a_row, self.progressed = 0, True
            builds.done(self._kept.lease, row)

    def _part(self, row: AppStoreBuild, bundle: Bundle, url: str) -> None:
        release()
        with _spooled() as file:
            target: object = _Watched(file, self._kept)
            deadline = Deadline.after(ARCHIVE_SECONDS)
            fetch_archive(url, target, self._trust, deadline, plain=self._plain)  # type: ignore[arg-type]
            stored = store_archive(file, self._project, partial(self._check, Deadline.after(ARCHIVE_SECONDS)))
        note, count = stored.note, stored.files
        builds.part_done(self._kept.lease, row, bundle.id, files=count, skipped=stored.skipped, note=note)

    def _check(self, deadline: Deadline) -> None:
        self._kept.check()
        if not deadline.remaining():
            raise AppStoreFailure(Problem.ARCHIVE, "the archive takes too long to be looked into")

    def _note(self, row: AppStoreBuild, failure: LookupFailure) -> None:
        """Write down why a build failed. Raises AppStoreFailure for what is about more than the build."""
        told = of_transport(failure)
        if told.problem in _OURS:
            builds.not_its_fault(self._kept.lease, row)
            raise told
        builds.failed(self._kept.lease, row, told.details or failure.kind.value)
        self._in_a_row += failure.kind in (FailureKind.UNREACHABLE, FailureKind.TIMED_OUT)
        if self._in_a_row >= IN_A_ROW:
            raise told


class _Watched:
    """A spool file that takes so much and no more, and nothing once the lease is lost."""

    def __init__(self, file: BinaryIO, kept: KeptLease) -> None:
        self._file, self._kept = file, kept
        self._limit = int(settings.ENVIRONMENT["MAX_DOWNLOAD_BYTES"])

    def write(self, data: bytes) -> int:
        self._kept.check()
        if self._file.tell() + len(data) > self._limit:
            raise AppStoreFailure(Problem.ARCHIVE, "the archive is larger than MAX_DOWNLOAD_BYTES allows")
        return self._file.write(data)

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def truncate(self) -> int:
        return self._file.truncate()


@contextmanager
def _spooled() -> Iterator[BinaryIO]:
    """A file without a name, so that a killed process leaves nothing behind. Raises AppStoreFailure for a full disk."""
    place = Path(settings.CACHE_DIR) / _SPOOL
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place, prefix="archive-") as file:
            yield file
    except OSError as error:
        text = f"the archive cannot be kept on this host: {error.strerror or 'an error of its disk'}"
        raise AppStoreFailure(Problem.STORE, text) from None
