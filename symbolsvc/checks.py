"""What `manage.py check --database default` looks at beyond what needs no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from core.installation import problems
from symbolsvc import migrating


@register(Tags.database)
def check_shared(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """The blob store and the keys of secrets are those that the database's other hosts have."""
    try:
        # Whoever migrates is checked first.
        if not databases or migrating.pending():
            return []
        return [Error(text, id="symbolsvc.E001") for text in problems()]
    except DatabaseError as error:
        return [Error(f"The database does not answer: {type(error).__name__}.", id="symbolsvc.E002")]
