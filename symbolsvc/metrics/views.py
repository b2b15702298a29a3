"""The page that Prometheus reads."""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from psycopg_pool import PoolTimeout

from core.metrics import declared
from symbolsvc.metrics.gauges import Gauges

# The library's own variable: where processes share what they count.
_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_DENIED: Final = "Send METRICS_TOKEN as a bearer token. Without that setting only this machine itself may read this.\n"


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures as text; 401 for who may not, 503 without the database."""
    if not _may_read(request):
        return HttpResponse(_DENIED, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    try:
        body = generate_latest(Gauges()) + generate_latest(_counted())
    except (DatabaseError, PoolTimeout):
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _counted() -> CollectorRegistry:
    """What all processes of this supervisor counted, or this one alone where they share nothing."""
    directory = os.environ.get(_DIRECTORY)
    if not directory:
        return declared.registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=directory)  # type: ignore[no-untyped-call]
    return shared


def _may_read(request: HttpRequest) -> bool:
    if request.user.is_authenticated and request.user.is_staff:
        return True
    token = settings.ENVIRONMENT["METRICS_TOKEN"]
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    return not settings.ENVIRONMENT["PROXIES_IN_FRONT"] and _is_from_here(request)


def _is_from_here(request: HttpRequest) -> bool:
    """Directly from this machine: what a proxy here sends on comes from anywhere."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
