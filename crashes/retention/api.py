"""REST: a project's rules for crashes."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import UNSET, Meta, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, decode_body
from core.openapi import BODY_STATUSES, challenge, refusals
from crashes.models import Crash
from crashes.retention.expiring import used_bytes
from crashes.rules import UNLIMITED, OwnRules, Rules, default_rules, rules_of, set_rules
from projects.access import open_project
from projects.models import Project
from projects.openapi import ORGANIZATION, PROJECT

READ: Final = ("project:read", "project:write", "project:admin")
WRITE: Final = ("project:write", "project:admin")
_TAG: Final = ["Crashes"]
_MOST: Final = 1 << 60
_MOST_NAMES: Final = 200

Days = Annotated[int, Meta(ge=1, le=36_500, description="Days after a crash was received.")]
Count = Annotated[int, Meta(ge=1, le=_MOST)]
PerMinute = Annotated[int, Meta(ge=1, le=(1 << 31) - 1, description="Reports of all clients together.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Pattern = Annotated[str, Meta(min_length=1, max_length=500)]
Names = Annotated[list[Name], Meta(max_length=_MOST_NAMES)]
Patterns = Annotated[list[Pattern], Meta(max_length=_MOST_NAMES)]


class CrashLimits(msgspec.Struct, rename="camel"):
    """null is without a limit. Sizes are bytes."""

    keep_days: int | None
    most_crashes: int | None
    most_bytes: int | None
    per_minute: int | None
    report_bytes: int | None


class CrashRulesView(CrashLimits, rename="camel", kw_only=True):
    """What holds for the project; `defaults` is what would without rules of its own.

    `secretNames`: whose values are masked besides the known ones. `inApp`, `notInApp`: modules and paths, with * and ?,
    that are and are not the application's own. `crashes` and `usedBytes` are what the project has now.
    """

    secret_names: list[str]
    in_app: list[str]
    not_in_app: list[str]
    defaults: CrashLimits
    crashes: int
    used_bytes: int


class CrashRulesChange(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The project's own rules, which replace the old ones. What is left out is as the settings say, or empty."""

    keep_days: Days | None | UnsetType = UNSET
    most_crashes: Count | None | UnsetType = UNSET
    most_bytes: Count | None | UnsetType = UNSET
    per_minute: PerMinute | None | UnsetType = UNSET
    report_bytes: Count | None | UnsetType = UNSET
    secret_names: Names = []
    in_app: Patterns = []
    not_in_app: Patterns = []


_EXAMPLE: Final = OpenApiExample(
    "30 days, 10 GiB",
    {"keepDays": 30, "mostBytes": 10 << 30, "secretNames": ["license_key"], "inApp": ["libgame*.so"]},
    request_only=True,
)


class ProjectCrashRules(ApiView):
    @extend_schema(
        operation_id="get_crash_rules",
        summary="Show the rules for crashes",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        responses={200: CrashRulesView, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """For how long crashes are kept, what they may take, what is masked, and whose code counts as in-app."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=READ)
        return answer(_shown(access.project, rules_of(access.project)))

    @extend_schema(
        operation_id="set_crash_rules",
        summary="Set the rules for crashes",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        request=CrashRulesChange,
        examples=[_EXAMPLE],
        responses={200: CrashRulesView, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Nothing is deleted at once; what is not kept any more goes within the hour. Needs `project:write`."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=WRITE)
        body = decode_body(request, CrashRulesChange)
        return answer(_shown(access.project, set_rules(project=access.project, actor=access.actor, own=_own(body))))


def _own(body: CrashRulesChange) -> OwnRules:
    return OwnRules(
        keep_days=_stored(body.keep_days),
        most_crashes=_stored(body.most_crashes),
        most_bytes=_stored(body.most_bytes),
        per_minute=_stored(body.per_minute),
        report_bytes=_stored(body.report_bytes),
        secret_names=body.secret_names,
        in_app=body.in_app,
        not_in_app=body.not_in_app,
    )


def _stored(value: int | None | UnsetType) -> int | None:
    if isinstance(value, UnsetType):
        return None
    return UNLIMITED if value is None else value


def _shown(project: Project, rules: Rules) -> CrashRulesView:
    return CrashRulesView(
        **_limits(rules),
        secret_names=list(rules.secret_names),
        in_app=list(rules.in_app),
        not_in_app=list(rules.not_in_app),
        defaults=CrashLimits(**_limits(default_rules())),
        crashes=Crash.objects.filter(project=project).count(),
        used_bytes=used_bytes(project),
    )


def _limits(rules: Rules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in CrashLimits.__struct_fields__}
