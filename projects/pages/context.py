"""What templates know of every page: where it is, for whom, and the tabs beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """`access` and `tabs`, where the page is one of an organization or a project."""
    return {"access": getattr(request, "page_access", None), "tabs": getattr(request, "page_tabs", ())}
