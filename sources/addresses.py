"""Addresses of http sources and S3 endpoints: absolute http(s) URLs, kept as the very text that was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sources.fields import BLANKS, CONTROLS, Problems, Schema, Text

URL_LENGTH: Final = 2048

_SCHEME: Final = r"[Hh][Tt][Tt][Pp][Ss]?://"
_LABEL: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_H16: Final = r"[0-9A-Fa-f]{1,4}"
_IPV6: Final = "|".join(
    (
        rf"(?:{_H16}:){{7}}{_H16}",
        rf"(?:{_H16}:){{1,7}}:",
        *(rf"(?:{_H16}:){{1,{left}}}(?::{_H16}){{1,{7 - left}}}" for left in range(6, 0, -1)),
        rf"::(?:{_H16}(?::{_H16}){{0,6}})?",
    )
)
_PORT: Final = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_REST: Final = rf"(?:[/?#][^{CONTROLS}{BLANKS}]*)?"

URL_PATTERN: Final = rf"{_SCHEME}(?:{_NAME}|\[(?:{_IPV6})\])(?::{_PORT})?{_REST}"

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL without user name and password, and without blanks."""

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is str and len(value) <= URL_LENGTH and _names_a_user(value):
            problems.add(path, "must not hold a user name or password; a source has fields for them")
            return value
        text = Text(
            URL_LENGTH, URL_PATTERN, "must be an absolute http or https URL with an ASCII host name and no blanks"
        )
        return text.clean(value, path, problems)

    def schema(self) -> Schema:
        return {**Text(URL_LENGTH, URL_PATTERN).schema(), "minLength": len("http://x")}


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port that a valid URL leads to, comparable however they were written."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").lower().removesuffix(".")
    return scheme, host, _DEFAULT_PORTS[scheme] if parts.port is None else parts.port


def _names_a_user(value: str) -> bool:
    authority = re.match(rf"{_SCHEME}([^/?#]*)", value)
    return authority is not None and "@" in authority[1]
