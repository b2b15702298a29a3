"""Who makes a request: a bearer token or a signed-in member.

Legacy API keys (`Authorization: Basic <key>:` with an empty password) are not offered; such a header counts as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from projects.selectors import OpenedToken, TokenProblem, open_token, touch

SCHEME: Final = "bearer"
# The x keeps browsers from asking for a user name and password.
CHALLENGE: Final = 'xBasic realm="api"'

_PROBLEM_TEXTS: Final = {
    TokenProblem.UNKNOWN: "Invalid token",
    TokenProblem.EXPIRED: "Token expired",
    TokenProblem.OTHER_ORGANIZATION: "Unauthorized organization access.",
}


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """What stands in the place of a user when a token makes the request."""

    token_id: int
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def pk(self) -> str:
        """A key for throttles that is never a user's."""
        return f"token-{self.token_id}"


def token_failure(problem: TokenProblem) -> AuthenticationFailed:
    """The 401 for a token that opens nothing."""
    return AuthenticationFailed(_PROBLEM_TEXTS[problem], problem.value)


def read_bearer(header: bytes) -> str | None:
    """The token in an Authorization header, or None when the header is absent or of another scheme.

    Raises AuthenticationFailed when the scheme is Bearer and what follows is not one word of ASCII.
    """
    words = header.split()
    if not words or words[0].lower() != SCHEME.encode():
        return None
    if len(words) == 1:
        raise AuthenticationFailed("Invalid token header. No credentials provided.")
    if len(words) > 2:
        raise AuthenticationFailed("Invalid token header. Token string should not contain spaces.")
    try:
        return words[1].decode("ascii")
    except UnicodeError:
        raise AuthenticationFailed(
            "Invalid token header. Token string should not contain invalid characters."
        ) from None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, the scheme in any case. `request.auth` becomes an OpenedToken.

    The project that the address names (`project` among the URL's arguments) comes with the same query.
    """

    def authenticate(self, request: Request) -> tuple[TokenBearer, OpenedToken] | None:
        """Raises AuthenticationFailed for a token that is malformed, unknown, revoked or expired."""
        text = read_bearer(get_authorization_header(request))
        if text is None:
            return None
        opened = open_token(text, request.parser_context["kwargs"].get("project_id_or_slug"))
        if isinstance(opened, TokenProblem):
            raise token_failure(opened)
        touch(opened.token)
        return TokenBearer(opened.token.id), opened

    def authenticate_header(self, request: Request) -> str:
        """The challenge that every 401 carries."""
        return CHALLENGE


class MemberSession(SessionAuthentication):
    """A member who signed in with a browser: the session cookie, and the CSRF token for everything that writes."""
