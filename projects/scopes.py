"""What a token or a member may do. Scopes do not imply each other."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

SCOPES: Final = MappingProxyType(
    {
        "org:read": "See the organization, its projects and the symbol sources its projects inherit",
        "org:write": "Create projects and change the organization and its symbol sources",
        "org:admin": "Delete the organization's symbol sources, manage its members and tokens",
        "org:ci": "Upload debug files and source maps from a build",
        "project:read": "See projects and their symbol sources (never their secrets)",
        "project:write": "Change projects and create or change their symbol sources",
        "project:admin": "Delete symbol sources, manage the project's tokens",
        "project:releases": "Upload debug files and source maps for a release",
        "event:read": "See crashes and their groups",
        "event:raw": "Download the raw dumps and attachments of crashes",
        "event:write": "Change the state of groups, process and group crashes again",
        "event:admin": "Delete crashes",
        "symbols:read": "Download debug files as a debugger does (symbol server)",
        "symbolicate:post": "Symbolicate stacks and crash files",
        "error:post": "Submit crashes (Backtrace)",
        "symbol:post": "Submit symbols and source maps (Backtrace)",
        "object:get": "Fetch a crash and its attachments (Backtrace)",
        "query:post": "Query crashes (Backtrace)",
        "sync:post": "Submit crashes and wait for what becomes of them (Backtrace)",
    }
)

OWNER: Final = "owner"
ADMIN: Final = "admin"
MEMBER: Final = "member"

_MEMBER_SCOPES: Final = frozenset(
    {
        "org:read",
        "project:read",
        "event:read",
        "event:write",
        "symbols:read",
        "symbolicate:post",
        "object:get",
        "query:post",
    }
)
_ADMIN_SCOPES: Final = _MEMBER_SCOPES | {
    "org:write",
    "org:ci",
    "project:write",
    "project:admin",
    "project:releases",
    "event:raw",
    "event:admin",
    "error:post",
    "symbol:post",
    "sync:post",
}

ROLE_SCOPES: Final = MappingProxyType(
    {MEMBER: _MEMBER_SCOPES, ADMIN: _ADMIN_SCOPES, OWNER: frozenset(SCOPES)},
)


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """The names among `scopes` that mean nothing, in order."""
    return [scope for scope in scopes if scope not in SCOPES]
