"""REST: the test of a source."""

from __future__ import annotations

import threading
from typing import Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer
from core.database import release
from engine.outgoing import Trust
from projects.access import open_project
from sources.api import PROJECT_SCOPES
from sources.composition import owner_of
from sources.selectors import Place
from sources.testing.app_store import not_ready, run_app_store_trial
from sources.testing.openapi import describe_test
from sources.testing.reading import NotReady, Tested, read_test
from sources.testing.trial import SourceTestReport, run_trial
from sources.types.app_store_connect.access import AppStoreAccess
from sources.views import CompatibleView

# Each takes a thread for up to 15 seconds.
AT_ONCE: Final = 8
_places = threading.BoundedSemaphore(AT_ONCE)


@describe_test
class ProjectSourceTest(CompatibleView):
    """`POST …/symbol-sources/test/`."""

    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=PROJECT_SCOPES["POST"])
        place = Place(access.organization, access.project)
        try:
            tested = read_test(place, request.data, request.query_params.get("id"))
        except NotReady as problem:
            return answer(not_ready(problem.failure))
        release()
        return answer(_run(tested, access.organization.pk, access.organization.slug))


def _run(tested: Tested, organization_id: int, slug: str) -> SourceTestReport:
    if not _places.acquire(blocking=False):
        raise ApiError("too many tests are running; try again in a few seconds", status=503, code="busy")
    try:
        trust = Trust.parse(settings.ENVIRONMENT["ALLOWED_SOURCE_NETWORKS"], slug)
        if isinstance(tested.config, AppStoreAccess):
            return run_app_store_trial(tested.config, url=settings.ENVIRONMENT["APP_STORE_CONNECT_URL"], trust=trust)
        return run_trial(tested.config, owner=owner_of(organization_id), trust=trust, wanted=tested.wanted)
    finally:
        _places.release()
