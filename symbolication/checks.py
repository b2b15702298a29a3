"""What is looked at before the service starts, so that a mistake is told at once and not by a request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from engine.errors import SymbolsvcError
from engine.outgoing import Trust
from sources.defaults import default_sources
from sources.sharing import shared_cache


@register()
def check_default_sources(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """The file that SYMBOLICATOR_CONFIG names loads."""
    try:
        default_sources()
    except SymbolsvcError as error:
        return [Error(error.message, id="symbolication.E001")]
    return []


@register()
def check_allow_list(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Every word of ALLOWED_SOURCE_NETWORKS is a network or a host name."""
    try:
        Trust.parse(settings.ENVIRONMENT["ALLOWED_SOURCE_NETWORKS"], None)
    except SymbolsvcError as error:
        return [Error(f"ALLOWED_SOURCE_NETWORKS: {error.message}", id="symbolication.E002")]
    return []


@register()
def check_shared_cache(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """SHARED_CACHE, where set, describes a bucket."""
    try:
        shared_cache(settings.ENVIRONMENT["SHARED_CACHE"], Path(settings.CACHE_DIR))
    except SymbolsvcError as error:
        return [Error(f"SHARED_CACHE: {error.message}", id="symbolication.E003")]
    return []


@register()
def check_threads(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Requests in flight leave threads for everything else, even when one process has them all."""
    limit, threads = settings.ENVIRONMENT["MAX_CONCURRENT_REQUESTS"], settings.ENVIRONMENT["WEB_THREADS"]
    if limit is not None and limit < threads:
        return []
    hint = "Set MAX_CONCURRENT_REQUESTS below WEB_THREADS."
    text = "Symbolications in flight can take every thread of a web process, the health check's too."
    return [Warning(text, hint=hint, id="symbolication.W001")]
