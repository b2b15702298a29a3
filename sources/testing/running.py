"""Running the test of a source, as many at once as a process can bear."""

from __future__ import annotations

import threading
from typing import Final

from django.conf import settings

from core.api import ApiError
from engine.outgoing import Trust
from projects.models import Organization
from sources.composition import owner_of
from sources.testing.app_store import run_app_store_trial
from sources.testing.reading import Tested
from sources.testing.steps import Steps
from sources.testing.trial import SourceTestReport, run_trial
from sources.types.app_store_connect.access import AppStoreAccess

# Each takes a thread for up to 15 seconds.
AT_ONCE: Final = 8
_places = threading.BoundedSemaphore(AT_ONCE)


def run_test(tested: Tested, organization: Organization, steps: Steps | None = None) -> SourceTestReport:
    """Test a source for an organization; `steps` can be watched meanwhile. Raises ApiError (503) when too many run."""
    if not _places.acquire(blocking=False):
        raise ApiError("too many tests are running; try again in a few seconds", status=503, code="busy")
    try:
        trust = Trust.parse(settings.ENVIRONMENT["ALLOWED_SOURCE_NETWORKS"], organization.slug)
        if isinstance(tested.config, AppStoreAccess):
            url = settings.ENVIRONMENT["APP_STORE_CONNECT_URL"]
            return run_app_store_trial(tested.config, url=url, trust=trust, steps=steps)
        owner = owner_of(organization.pk)
        return run_trial(tested.config, owner=owner, trust=trust, wanted=tested.wanted, steps=steps)
    finally:
        _places.release()
