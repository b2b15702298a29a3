"""The test of an App Store Connect source: signing in, the app, its builds, and the beginning of an archive."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from engine.errors import LookupFailure
from engine.outgoing import Deadline, Trust
from engine.outgoing.probe import Way
from sources.testing.samples import ENOUGH, Sample, kind_of
from sources.testing.steps import StepName, Steps
from sources.testing.trial import NOT_REACHED, TRIAL_SECONDS, SourceTestReport, reach, report, watched
from sources.testing.words import remedy
from sources.types.app_store_connect.access import AppStoreAccess, bearer
from sources.types.app_store_connect.archives import fetch_archive
from sources.types.app_store_connect.client import AppStore, BuildPage
from sources.types.app_store_connect.problems import AppStoreFailure, remedy_of
from sources.types.app_store_connect.wire import App

log = logging.getLogger(__name__)

NO_LAYOUT: Final = "Files are imported from sources of this type; they have no layout."
_WAY: Final = frozenset({StepName.RESOLVE, StepName.CONNECT, StepName.TLS})


@dataclass
class AppStoreTrial:
    """Walks through the steps; `steps` can be read at any time."""

    store: AppStore
    way: Way
    trust: Trust
    deadline: Deadline
    steps: Steps = field(default_factory=Steps)

    def walk(self) -> None:
        """All steps; each failure ends those that depend on it."""
        try:
            self._walk()
        except Exception:  # noqa: BLE001 - a thread of its own has nobody to raise to; the report tells
            log.exception("the test of a source failed")

    def _walk(self) -> None:
        if reach(self.way, self.steps):
            page = self._builds()
            if page is not None:
                self._archive(page)
        if self.steps.failure is None:
            self.steps.skip(StepName.LAYOUT, NO_LAYOUT)
        self.steps.skip_rest(NOT_REACHED)

    def _builds(self) -> BuildPage | None:
        run, store = self.steps.run, self.store
        apps = run(StepName.AUTHENTICATE, lambda: store.sign_in(self.deadline), lambda _: "Apple accepts the key.")
        if apps is None:
            return None
        found = run(StepName.LIST, lambda: store.pick(apps), _named)
        if found is None:
            return None
        return run(StepName.READ, lambda: store.builds("", self.deadline), _counted)

    def _archive(self, page: BuildPage) -> None:
        url = next((bundle.dsym_url for build in page.builds for bundle in build.bundles if bundle.dsym_url), None)
        if url is None:
            self.steps.skip(StepName.FILE, "No build of the first page offers dSYM files.")
            return
        address = url
        self.steps.run(StepName.FILE, lambda: self._beginning(address), lambda kind: f"The latest is {kind}.")

    def _beginning(self, url: str) -> str:
        target = Sample()
        with suppress(*ENOUGH):
            fetch_archive(url, cast(BinaryIO, target), self.trust, self.deadline, plain=not self.way.secure)
        return kind_of(bytes(target.content))


def run_app_store_trial(
    access: AppStoreAccess, *, url: str, trust: Trust, steps: Steps | None = None
) -> SourceTestReport:
    """Test an App Store Connect source and say what came of it, at the latest after 15 seconds."""
    try:
        # Before anything is asked: without a key that can be read nothing is worth asking for.
        bearer(access)
    except AppStoreFailure as failure:
        return not_ready(failure)
    deadline = Deadline.after(TRIAL_SECONDS)
    store, way = AppStore(access, url, trust), Way(url, trust, deadline)
    trial = AppStoreTrial(store, way, trust, deadline, Steps() if steps is None else steps)
    overdue = watched(trial.walk, deadline)
    return report(trial.steps, None, overdue=overdue, remedy=_remedy)


def not_ready(failure: AppStoreFailure) -> SourceTestReport:
    """The report about a source that lacks what it cannot sign in without."""
    steps = Steps()
    for name in StepName:
        if name in _WAY:
            steps.skip(name, "Nobody was asked.")
    steps.fail(StepName.AUTHENTICATE, failure, time.monotonic())
    steps.skip_rest(NOT_REACHED)
    return report(steps, None, overdue=False, remedy=_remedy)


def _remedy(step: StepName, failure: LookupFailure) -> str:
    return remedy_of(failure.problem) if isinstance(failure, AppStoreFailure) else remedy(step, failure.kind)


def _named(app: App) -> str:
    name = app.attributes.name or app.attributes.bundle_id or "without a name"
    return f"The app is there: {name[:100].rstrip('.')}."


def _counted(page: BuildPage) -> str:
    offering: Sequence[bool] = [any(bundle.dsym_url for bundle in build.bundles) for build in page.builds]
    more = " on the first page" if page.following else ""
    return f"{len(offering)} build(s){more}, {sum(offering)} of them with dSYM files."
