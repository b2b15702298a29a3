"""Reads that are more than a queryset; above all the one query that opens a project by a token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from core.postgresql.direct import first_row
from projects import tokens
from projects.models import Organization, Project
from projects.slugs import parse_ref

LAST_USED_EVERY: Final = timedelta(minutes=1)


class TokenProblem(StrEnum):
    """Why a token opens nothing. A revoked token is as good as unknown."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    OTHER_ORGANIZATION = "other_organization"
    NO_PROJECT = "no_project"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as stored, without its digest."""

    id: int
    prefix: str
    organization_id: int
    project_id: int | None
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def problem(self, now: datetime) -> TokenProblem | None:
        """Why the token may not be used at `now`, if so."""
        if self.revoked_at is not None:
            return TokenProblem.UNKNOWN
        if self.expires_at is not None and self.expires_at <= now:
            return TokenProblem.EXPIRED
        return None


@dataclass(frozen=True, slots=True)
class OpenedToken:
    """A usable token with its organization.

    `project` is what `project_ref` addresses, if the token may touch it; without a reference, the project that the
    token is bound to.
    """

    token: TokenFacts
    organization: Organization
    project_ref: str | None
    project: Project | None


@dataclass(frozen=True, slots=True)
class OpenedProject:
    """A project that a token may touch. What it may do there is for the caller to check by `token.scopes`."""

    token: TokenFacts
    organization: Organization
    project: Project


_TOKEN_COLUMNS: Final = (
    "id",
    "prefix",
    "organization_id",
    "project_id",
    "scopes",
    "expires_at",
    "revoked_at",
    "last_used_at",
)
_ORGANIZATION_COLUMNS: Final = tuple(field.attname for field in Organization._meta.concrete_fields)
_PROJECT_COLUMNS: Final = tuple(field.attname for field in Project._meta.concrete_fields)
_PROJECT_AT: Final = len(_TOKEN_COLUMNS) + len(_ORGANIZATION_COLUMNS)
_COLUMNS: Final = ", ".join(
    [f"t.{name}" for name in _TOKEN_COLUMNS]
    + [f"o.{name}" for name in _ORGANIZATION_COLUMNS]
    + [f"p.{name}" for name in _PROJECT_COLUMNS]
)
_QUERY: Final = f"""
    SELECT {_COLUMNS}
    FROM projects_apitoken t
    JOIN projects_organization o ON o.id = t.organization_id
    LEFT JOIN projects_project p
        ON p.organization_id = t.organization_id AND (t.project_id IS NULL OR t.project_id = p.id) AND {{condition}}
    WHERE t.digest = %s
"""  # noqa: S608 - only names of columns come in
_BY_BINDING: Final = _QUERY.format(condition="p.id = t.project_id")
_BY_ID: Final = _QUERY.format(condition="p.id = %s")
_BY_SLUG: Final = _QUERY.format(condition="p.slug = %s")

# Rows that somebody holds are skipped: a request never waits for another one to note the same minute.
_TOUCH: Final = """
    UPDATE projects_apitoken SET last_used_at = now()
    WHERE id = (
        SELECT id FROM projects_apitoken
        WHERE id = %s AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => %s))
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""


def open_token(text: str, project_ref: str | None = None) -> OpenedToken | TokenProblem:
    """The token with this text, its organization, and the project at `project_ref` (id or slug): one query."""
    row = _row(text, project_ref)
    if row is None:
        return TokenProblem.UNKNOWN
    facts = _facts(*row[: len(_TOKEN_COLUMNS)])
    organization = Organization.from_db("default", _ORGANIZATION_COLUMNS, row[len(_TOKEN_COLUMNS) : _PROJECT_AT])
    opened = OpenedToken(facts, organization, project_ref, _project(row, organization))
    return facts.problem(datetime.now(UTC)) or opened


def _facts(*columns: Any) -> TokenFacts:
    values = dict(zip(_TOKEN_COLUMNS, columns, strict=True))
    return TokenFacts(**values | {"scopes": frozenset(values["scopes"])})


def _row(text: str, project_ref: str | None) -> tuple[Any, ...] | None:
    if not tokens.looks_like_token(text):
        return None
    sql, *values = _lookup(project_ref)
    return first_row(sql, [*values, tokens.digest(text)])


def _lookup(project_ref: str | None) -> tuple[str, *tuple[int | str, ...]]:
    if project_ref is None:
        return (_BY_BINDING,)
    ref = parse_ref(project_ref)
    if isinstance(ref, str):
        return (_BY_SLUG, ref)
    return (_BY_ID, 0 if ref is None else ref)


def _project(row: tuple[Any, ...], organization: Organization) -> Project | None:
    values = row[_PROJECT_AT:]
    if values[0] is None:
        return None
    project = Project.from_db("default", _PROJECT_COLUMNS, values)
    project.organization = organization
    return project


def addresses(organization: Organization, ref: str) -> bool:
    """Whether `ref` (id or slug, a part of a URL) addresses `organization`."""
    parsed = parse_ref(ref)
    return parsed == (organization.id if isinstance(parsed, int) else organization.slug)


def open_by_token(text: str, organization_ref: str, project_ref: str) -> OpenedProject | TokenProblem:
    """The project at `organization_ref`/`project_ref` if the token with this text may touch it, by one query."""
    opened = open_token(text, project_ref)
    if isinstance(opened, TokenProblem):
        return opened
    if not addresses(opened.organization, organization_ref):
        return TokenProblem.OTHER_ORGANIZATION
    if opened.project is None:
        return TokenProblem.NO_PROJECT
    return OpenedProject(opened.token, opened.organization, opened.project)


def find_token(text: str) -> TokenFacts | None:
    """The token with this text, or None when it is unknown, expired or revoked."""
    opened = open_token(text)
    return opened.token if isinstance(opened, OpenedToken) else None


def touch(token: TokenFacts) -> TokenFacts:
    """Notes that `token` was used, at most once a minute; most calls do nothing."""
    now = datetime.now(UTC)
    if token.last_used_at is not None and now - token.last_used_at < LAST_USED_EVERY:
        return token
    touch_token(token.id)
    return replace(token, last_used_at=now)


def touch_token(token_id: int) -> bool:
    """Writes the time of the last use unless it is younger than a minute: one conditional update. Whether it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH, [token_id, LAST_USED_EVERY.total_seconds()])
        return bool(cursor.rowcount == 1)
