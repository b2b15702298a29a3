"""The addresses of submissions. None of them redirects: a redirected POST loses its body.

Behind the addresses of every other room, since the first part of `/{subdomain}/{token}/{format}` may be anything. What
can only be a submission stands before them all as well: crashes come by the thousand, and looking through every address
takes as long as reading the report.
"""

from __future__ import annotations

import re
from typing import Final

from django.urls import URLPattern, URLResolver, include, path, re_path

from crashes.router import View, submit
from crashes.sentry.urls import urlpatterns as sentry_urlpatterns
from crashes.submission.metrics import take_events
from crashes.sym_upload import check_status, complete, create, put
from projects.slugs import RESERVED_ORGANIZATIONS

# Libraries treat this host name as a case of its own; behind it as a path they behave as with Backtrace itself.
_HOSTED: Final = r"^/?(?:submit\.backtrace\.io/)?"
_PLACE: Final = r"(?P<subdomain>[^/]+)/(?P<token>[^/]+)"
_BARE: Final = r"(?P<subdomain>[^/]+)/(?P<token>[0-9a-f]{64})"
# Breakpad's tool puts its own paths behind whatever address it is given.
_PROJECT: Final = r"^api/0/projects/(?P<organization>[^/]+)/(?P<project>[^/]+)/"
_ANYWHERE: Final = r"^(?:(?!api/)[^/]+/){0,3}"

_SYM_UPLOAD: Final = (
    (r"v1/symbols/(?P<file>[^/]+)/(?P<identifier>[^/:]+):checkStatus$", check_status),
    (r"v1/uploads:create$", create),
    (r"v1/uploads/(?P<upload_key>[^/]+):complete$", complete),
    (r"v1/uploads/(?P<upload_key>[^/]+)$", put),
)

_ORGANIZATION: Final = rf"(?!(?:{'|'.join(sorted(RESERVED_ORGANIZATIONS))})/)(?P<subdomain>[a-z0-9][a-z0-9_-]*)"

# An organization's name, which no other address begins with, and a token.
certain_urlpatterns: list[URLPattern] = [
    re_path(rf"^/?{_ORGANIZATION}/(?P<token>[0-9a-f]{{64}})(?:/(?P<last>[^/]+))?/?$", submit),
]
# What crashing clients call, each of which is found by looking at these alone: no other address is like them.
DOOR: Final[tuple[tuple[re.Pattern[str], View], ...]] = (
    (certain_urlpatterns[0].pattern.regex, submit),
    (re.compile(rf"{_HOSTED}(?:api/)?post/?$"), submit),
    (re.compile(rf"^/?submit\.backtrace\.io/(?!api/){_PLACE}/(?P<last>[^/]+)/?$"), submit),
    *((one.pattern.regex, one.callback) for one in sentry_urlpatterns),
)
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/0/", include("crashes.retention.urls")),
    path("", include("crashes.query.urls")),
    path("api/0/", include("crashes.sentry.rest_urls")),
    path("api/0/", include("crashes.again.urls")),
    # Behind all others below `crashes/`: its `<crash_id>` may be anything.
    path("api/0/", include("crashes.rest.urls")),
    path("", include("crashes.sentry.urls")),
]
urlpatterns += [re_path(base + tail, view) for tail, view in _SYM_UPLOAD for base in (_PROJECT, _ANYWHERE)]
urlpatterns += [
    re_path(rf"{_HOSTED}(?:api/)?post/?$", submit, name="submit"),
    re_path(rf"{_HOSTED}api/(?:unique|summed)-events/submit/?$", take_events),
    re_path(rf"{_HOSTED}(?!api/){_PLACE}/(?P<last>[^/]+)/?$", submit),
    re_path(rf"{_HOSTED}(?!api/){_BARE}/?$", submit),
]
