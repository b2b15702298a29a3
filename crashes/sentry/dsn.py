"""DSNs: the one text that a client of Sentry is set up with."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from django.conf import settings

from crashes.models import ProjectKey

_TRIAL_URL: Final = "http://127.0.0.1:8000"


class Dsns(msgspec.Struct):
    """Addresses for each kind of client.

    `public` is for every client, `secret` the same in the form that very old ones insist on. `minidump` and `envelope`
    are complete addresses, for what sends without a client.
    """

    public: str
    secret: str
    minidump: str
    envelope: str


def dsns_of(key: ProjectKey, url: str = "") -> Dsns:
    """The DSNs of a key. `url`: where clients reach this service when PUBLIC_URL does not say."""
    base = urlsplit((settings.ENVIRONMENT["PUBLIC_URL"] or url or _TRIAL_URL).rstrip("/"))
    address = f"{base.scheme}://{base.netloc}{base.path}/api/{key.project_id}"
    return Dsns(
        public=_dsn(base, key.public, key),
        secret=_dsn(base, f"{key.public}:{key.public}", key),
        minidump=f"{address}/minidump/?sentry_key={key.public}",
        envelope=f"{address}/envelope/?sentry_key={key.public}",
    )


def _dsn(base: SplitResult, user: str, key: ProjectKey) -> str:
    return f"{base.scheme}://{user}@{base.netloc}{base.path}/{key.project_id}"
