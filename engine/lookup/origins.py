"""Which URLs the allowed origins of a request cover, by the rules that Sentry's clients know."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def is_allowed(url: str, origins: Iterable[str]) -> bool:
    """Whether one of the patterns covers an absolute URL; without patterns none is covered.

    A pattern is `*`, a complete URL, or `[scheme://]host[:port][/path]`, where the host may be `*` or `*.domain` (the
    domain itself included), and the path is a prefix with or without a `*` at its end. What is left out matches all.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return False
    return any(pattern in ("*", url) or _covers(pattern, parts, port) for pattern in origins)


def _covers(pattern: str, parts: SplitResult, port: int | None) -> bool:
    scheme, separator, rest = pattern.rpartition("://")
    authority, slash, path = rest.partition("/")
    if separator and scheme.lower() not in ("*", parts.scheme):
        return False
    if not (parts.path or "/").startswith(f"{slash}{path}".removesuffix("*")):
        return False
    return _covers_host(authority.lower(), _ascii(parts.hostname or ""), port)


def _covers_host(authority: str, host: str, port: int | None) -> bool:
    name, _, digits = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if digits and digits != str(port):
        return False
    if name.startswith("*."):
        domain = _ascii(name[2:])
        return host == domain or host.endswith(f".{domain}")
    return name == "*" or _ascii(name) == host


def _ascii(host: str) -> str:
    """The name as it is looked up; one that cannot be encoded stays as it is."""
    try:
        return host.lower().encode("idna").decode("ascii") if not host.isascii() else host.lower()
    except UnicodeError:
        return host.lower()
