"""Who asks a symbol server: a token in the path, by Basic or by Bearer authentication; nobody where it is public.

Debuggers offer little: some can only be given an address, some answer a Basic challenge. The order of the checks is
that of the API (see projects.access), and no answer tells whether something exists that the caller may not see.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.http import HttpRequest

from core.database import release
from engine.errors import SymbolsvcError
from projects.models import Organization, Project
from projects.selectors import OpenedToken, TokenFacts, TokenProblem, open_by_token, open_token, touch
from projects.slugs import parse_ref
from projects.tokens import looks_like_token
from symbolserver.readings import read

SCOPE: Final = "symbols:read"
_IN_PATH: Final = "t"


class Refused(SymbolsvcError):
    """The caller may not have what was asked for. `status`: 401, 403 or 404."""

    code = "refused"

    def __init__(self, status: int) -> None:
        super().__init__("refused")
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path of a symbol server says: the token in it, if there is one, and the path of the file."""

    token: str | None
    path: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A project whose files the caller may have. `known`: by a token, and not only because it is public."""

    project: Project
    known: bool


def split(path: str) -> Asked:
    """The token and the rest of a path below a symbol server. Doubled slashes count as one.

    `t/` begins the two-tier paths of files called `t.…` too, so that what can be read as a path is one.
    """
    plain = "/".join(part for part in path.split("/") if part)
    first, _, rest = plain.partition("/")
    token, _, inner = rest.partition("/")
    if first == _IN_PATH and rest and (looks_like_token(token) or not read(plain)):
        return Asked(token, inner)
    return Asked(None, plain)


def open_server(request: HttpRequest, organization: str, project: str, token: str | None) -> Opened:
    """The project at `organization`/`project` (ids or slugs). Gives the database connection back. Raises Refused."""
    try:
        return _opened(token if token is not None else offered(request), organization, project)
    finally:
        release()


def open_proxy(request: HttpRequest, token: str | None) -> Organization:
    """The organization of a token that may read symbols. Gives the database connection back. Raises Refused."""
    try:
        text = token if token is not None else offered(request)
        opened = open_token(text) if text else TokenProblem.UNKNOWN
        if not isinstance(opened, OpenedToken):
            raise Refused(401)
        _use(opened.token)
        return opened.organization
    finally:
        release()


def offered(request: HttpRequest) -> str:
    """The token of the Authorization header: that of Bearer, or the password of Basic; empty without one."""
    scheme, _, value = request.headers.get("Authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip())
        case _:
            return ""


def _password(value: str) -> str:
    try:
        pair = base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]


def _opened(token: str, organization: str, project: str) -> Opened:
    opened = open_by_token(token, organization, project) if token else TokenProblem.UNKNOWN
    try:
        if isinstance(opened, TokenProblem):
            raise Refused(404 if opened is TokenProblem.NO_PROJECT else 401)
        _use(opened.token)
    except Refused:
        public = _public(organization, project)
        if public is None:
            raise
        return Opened(public, known=False)
    return Opened(opened.project, known=True)


def _use(token: TokenFacts) -> None:
    if SCOPE not in token.scopes:
        raise Refused(403)
    touch(token)


def _public(organization: str, project: str) -> Project | None:
    refs = parse_ref(organization), parse_ref(project)
    if None in refs:
        return None
    conditions = Q(serving__public=True)
    for prefix, ref in zip(("organization__", ""), refs, strict=True):
        conditions &= Q(**{f"{prefix}{'id' if isinstance(ref, int) else 'slug'}": ref})
    return Project.objects.select_related("organization").filter(conditions).first()
