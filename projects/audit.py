"""The trail of writes: who did what to which thing, with which token, when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from projects.access import Actor
from projects.models import TOKEN_LENGTH, AuditEntry, Organization, Project

MASK: Final = {"hidden-secret": True}
# Services mask what they know to be secret; this catches what a later field might let through.
_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:password|secret|token|private_?key|secret_?key|digest|authorization)s?$")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TOKEN_TEXT: Final = re.compile(rf"[0-9a-f]{{{TOKEN_LENGTH}}}")
_TARGET_LENGTH: Final = 300


def record(
    *,
    organization: Organization,
    actor: Actor,
    action: str,
    target: str,
    data: Mapping[str, Any],
    project: Project | None = None,
) -> AuditEntry:
    """Writes one entry; to be called inside the transaction of the write that it describes.

    `action` is `thing.verb` in the past tense, `target` names the thing for people, `data` is what changed.
    """
    return AuditEntry.objects.create(
        organization=organization,
        project=project,
        user_id=actor.user_id,
        token_id=actor.token_id,
        token_prefix=actor.token_prefix,
        action=action,
        target=target[:_TARGET_LENGTH],
        data=masked(data),
    )


def masked(value: Any) -> Any:
    """`value` without what is a secret by its name or has the form of a token."""
    if isinstance(value, Mapping):
        return {name: MASK if _is_secret(name) and inner else masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner) for inner in value]
    if isinstance(value, str):
        return _TOKEN_TEXT.sub(lambda found: f"{found.group()[:8]}…", value)
    return value


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(_CAMEL.sub("_", name).lower()) is not None
