"""REST: how long a project's uploads are kept, and how much they may take."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, decode_body
from core.openapi import BODY_STATUSES, challenge, refusals
from debugfiles.retention.expiring import next_expiry
from debugfiles.retention.holdings import used_bytes
from debugfiles.retention.policy import UNLIMITED, Policy, WhenFull, default_policy, policy_of, set_rules
from projects.access import open_project
from projects.models import Project
from projects.openapi import ORGANIZATION, PROJECT

READ: Final = ("project:read", "project:write", "project:admin")
WRITE: Final = ("project:admin",)
_TAG: Final = ["Debug files"]
_MOST_DAYS: Final = 36_500
_MOST_BYTES: Final = 1 << 60
_When = Literal["refuse", "evict"]
Days = Annotated[int, Meta(ge=1, le=_MOST_DAYS, description="Days after the last use.")]
Bytes = Annotated[int, Meta(ge=1, le=_MOST_BYTES, description="What the uploads may take together.")]


class RetentionRules(msgspec.Struct, rename="camel"):
    """null is without a limit. `whenFull`: an upload that does not fit is refused, or what is used least goes."""

    keep_days: int | None
    quota_bytes: int | None
    when_full: _When


class RetentionView(RetentionRules, rename="camel", kw_only=True):
    """What holds for the project; `defaults` is what would without rules of its own.

    `usedBytes` is what its uploads take, each content once. `nextExpiry` is when the first of them goes if nobody
    uses it; null for never.
    """

    defaults: RetentionRules
    used_bytes: int
    next_expiry: datetime | None


class RetentionChange(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The project's own rules, which replace the old ones. What is left out is as the settings say."""

    keep_days: Days | None | msgspec.UnsetType = msgspec.UNSET
    quota_bytes: Bytes | None | msgspec.UnsetType = msgspec.UNSET
    when_full: _When | msgspec.UnsetType = msgspec.UNSET


_EXAMPLE: Final = OpenApiExample(
    "90 days, 20 GiB", {"keepDays": 90, "quotaBytes": 20 << 30, "whenFull": "evict"}, request_only=True
)


class ProjectRetention(ApiView):
    @extend_schema(
        operation_id="get_retention",
        summary="Show how long uploads are kept",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        responses={200: RetentionView, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Debug files, bundles and files of releases; each counts from when a symbolication last used it."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=READ)
        return answer(_shown(access.project, policy_of(access.project)))

    @extend_schema(
        operation_id="set_retention",
        summary="Set how long uploads are kept",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        request=RetentionChange,
        examples=[_EXAMPLE],
        responses={200: RetentionView, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Nothing is deleted at once; what has expired goes within the hour. Needs `project:admin`."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=WRITE)
        body = decode_body(request, RetentionChange)
        policy = set_rules(
            project=access.project,
            actor=access.actor,
            keep_days=_stored(body.keep_days),
            quota_bytes=_stored(body.quota_bytes),
            when_full=WhenFull(body.when_full) if isinstance(body.when_full, str) else None,
        )
        return answer(_shown(access.project, policy))


def _stored(value: int | None | msgspec.UnsetType) -> int | None:
    if isinstance(value, msgspec.UnsetType):
        return None
    return UNLIMITED if value is None else value


def _shown(project: Project, policy: Policy) -> RetentionView:
    default = default_policy()
    return RetentionView(
        keep_days=policy.keep_days,
        quota_bytes=policy.quota_bytes,
        when_full=policy.when_full.value,
        defaults=RetentionRules(default.keep_days, default.quota_bytes, default.when_full.value),
        used_bytes=used_bytes(project),
        next_expiry=next_expiry(project, policy),
    )
