"""Who may send: judged by the token alone, before anything of the body is read."""

from __future__ import annotations

from dataclasses import dataclass

from crashes.addresses import Address
from crashes.answers import invalid_token, wrong_address
from projects.access import Actor, find_project, token_access, token_actor
from projects.models import Project
from projects.selectors import OpenedToken, TokenProblem, addresses, open_token, touch


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends, and to which project."""

    project: Project
    actor: Actor
    scopes: frozenset[str]


def admit(address: Address, scope: str | None) -> Sender:
    """The sender that the token of an address stands for. `scope`: what the format needs, None for one unknown.

    Raises Refusal: 403 for a token that opens nothing or lacks the scope, then 503 for a subdomain that is not the
    token's.
    """
    opened = _opened(address.token)
    if scope is not None and scope not in opened.token.scopes:
        raise invalid_token(f"invalid token: it needs the scope {scope}")
    if address.subdomain and not addresses(opened.organization, address.subdomain.lower()):
        raise wrong_address("invalid subdomain")
    touch(opened.token)
    return Sender(_project(opened, address.project), token_actor(opened.token), opened.token.scopes)


def _opened(token: str) -> OpenedToken:
    opened = open_token(token)
    if isinstance(opened, TokenProblem):
        raise invalid_token("invalid token: it has expired" if opened is TokenProblem.EXPIRED else "invalid token")
    return opened


def _project(opened: OpenedToken, named: str) -> Project:
    """The project that the token is bound to; of a token for a whole organization the one that is named."""
    if opened.project is not None:
        return opened.project
    found = find_project(token_access(opened), named) if named else None
    if found is None:
        raise invalid_token("invalid token: it is bound to no project, and the address names none of its organization")
    return found
