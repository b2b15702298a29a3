"""How others are configured to read a project's files from here."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.urls import reverse

from projects.models import Organization, Project

SOURCE_SCOPES: Final = ("project:read", "symbols:read")
_TRIAL_URL: Final = "http://127.0.0.1:8000"


def sentry_sources(
    organization: Organization, project: Project, token: str, url: str = ""
) -> dict[str, dict[str, str]]:
    """What Symbolicator takes among `sources` (native) and as `source` (JavaScript), by use.

    `url` is where it reaches this service; empty for PUBLIC_URL.
    """
    base = (url or settings.ENVIRONMENT["PUBLIC_URL"] or _TRIAL_URL).rstrip("/")
    place = {"organization_id_or_slug": organization.slug, "project_id_or_slug": project.slug}
    own_id = f"symbolsvc:{organization.slug}/{project.slug}"
    shared = {"id": own_id, "token": token}
    return {
        "source": {"type": "sentry", **shared, "url": base + reverse("dsyms", kwargs=place)},
        "javascript_source": {**shared, "url": base + reverse("artifact-lookup", kwargs=place)},
    }
