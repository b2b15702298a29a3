"""Looks for the static files once: a test client makes its middlewares anew, and each would go through them all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware


def install() -> None:
    """Have every middleware that serves static files share what the first one found under the same settings."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[tuple[Any, ...], dict[str, Any]] = {}

    def once(self: WhiteNoiseMiddleware) -> None:
        key = (settings.STATIC_URL, settings.DEBUG, tuple(settings.STATICFILES_FINDERS), self.static_prefix)
        if key not in found:
            look(self)
            found[key] = dict(self.files)
        self.files.update(found[key])

    WhiteNoiseMiddleware.add_files_from_finders = once
