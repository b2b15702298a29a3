"""REST: the test of a source."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer
from core.database import release
from projects.access import open_project
from sources.api import PROJECT_SCOPES
from sources.selectors import Place
from sources.testing.app_store import not_ready
from sources.testing.openapi import describe_test
from sources.testing.reading import NotReady, read_test
from sources.testing.running import run_test
from sources.views import CompatibleView


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
        return answer(run_test(tested, access.organization))
