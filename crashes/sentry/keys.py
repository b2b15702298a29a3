"""Keys that clients of Sentry send with: every write of them, and how a request's key opens its project."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from core.api import ApiError
from core.postgresql.direct import first_row
from crashes.models import ProjectKey
from projects import audit
from projects.access import Actor
from projects.models import Organization, Project

LABEL_LENGTH: Final = 200
_PUBLIC: Final = re.compile("[0-9a-f]{32}")
_TOUCH_EVERY: Final = timedelta(minutes=1)
_UNNAMED: Final = "Default"

_ORGANIZATION_COLUMNS: Final = tuple(field.attname for field in Organization._meta.concrete_fields)
_PROJECT_COLUMNS: Final = tuple(field.attname for field in Project._meta.concrete_fields)
_PROJECT_AT: Final = 2 + len(_ORGANIZATION_COLUMNS)
_COLUMNS: Final = ", ".join(
    [*(f"o.{name}" for name in _ORGANIZATION_COLUMNS), *(f"p.{name}" for name in _PROJECT_COLUMNS)]
)
_OPEN: Final = f"""
    SELECT k.id, k.last_used_at, {_COLUMNS}
    FROM crashes_projectkey k
    JOIN projects_project p ON p.id = k.project_id
    JOIN projects_organization o ON o.id = p.organization_id
    WHERE k.public = %s AND k.project_id = %s AND k.is_active
"""  # noqa: S608 - only names of columns come in
# Rows that somebody holds are skipped: a request never waits for another one to note the same minute.
_TOUCH: Final = """
    UPDATE crashes_projectkey SET last_used_at = now()
    WHERE id = (
        SELECT id FROM crashes_projectkey
        WHERE id = %s AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => %s))
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""


def create_key(*, project: Project, actor: Actor, label: str = "") -> ProjectKey:
    """A new, active key of 128 random bits. Raises ApiError for a label that is too long."""
    _check_label(label)
    with transaction.atomic():
        key = ProjectKey.objects.create(
            project=project,
            public=secrets.token_hex(16),
            label=label.strip() or _UNNAMED,
            created_by_id=actor.user_id,
        )
        _record("project_key.created", key, actor, {"label": key.label})
    return key


def change_key(*, key: ProjectKey, actor: Actor, label: str | None = None, is_active: bool | None = None) -> ProjectKey:
    """Changes what is given; None leaves as is. A key that is not active opens nothing. Raises ApiError."""
    if label is not None:
        _check_label(label)
    given = {"label": None if label is None else label.strip() or _UNNAMED, "is_active": is_active}
    with transaction.atomic():
        current = _locked(key)
        changed = {
            name: value for name, value in given.items() if value is not None and value != getattr(current, name)
        }
        if changed:
            for name, value in changed.items():
                setattr(current, name, value)
            current.save(update_fields=list(changed))
            _record("project_key.changed", current, actor, changed)
    return current


def delete_key(*, key: ProjectKey, actor: Actor) -> None:
    """Ends a key for good: its text never opens anything again. What came with it stays."""
    with transaction.atomic():
        current = _locked(key)
        _record("project_key.deleted", current, actor, {"label": current.label})
        current.delete()


def looks_like_key(text: str) -> bool:
    """Whether `text` has the form of a key; anything else needs no look into the database."""
    return _PUBLIC.fullmatch(text) is not None


def open_key(public: str, project_id: int) -> Project | None:
    """The project that an active key opens, which must be the one of the address: one query. None for anything else."""
    if not looks_like_key(public):
        return None
    row = first_row(_OPEN, [public, project_id])
    if row is None:
        return None
    id_, last_used_at = row[:2]
    _touch(id_, last_used_at)
    project = Project.from_db("default", _PROJECT_COLUMNS, row[_PROJECT_AT:])
    project.organization = Organization.from_db("default", _ORGANIZATION_COLUMNS, row[2:_PROJECT_AT])
    return project


def _touch(key_id: int, last_used_at: datetime | None) -> None:
    """Note that the key was used, at most once a minute."""
    if last_used_at is None or datetime.now(UTC) - last_used_at >= _TOUCH_EVERY:
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, [key_id, _TOUCH_EVERY.total_seconds()])


def _locked(key: ProjectKey) -> ProjectKey:
    """The row as it is now, held. Raises ApiError (404) when somebody deleted it meanwhile."""
    rows = ProjectKey.objects.select_for_update(of=("self",)).select_related("project__organization")
    current = rows.filter(pk=key.pk).first()
    if current is None:
        raise ApiError("The key is deleted.", status=404, code="not_found")
    return current


def _check_label(label: str) -> None:
    if len(label) > LABEL_LENGTH:
        raise ApiError(f"name: at most {LABEL_LENGTH} characters", field="name")


def _record(action: str, key: ProjectKey, actor: Actor, data: dict[str, Any]) -> None:
    project = key.project
    audit.record(
        organization=project.organization, project=project, actor=actor, action=action, target=key.public, data=data
    )
