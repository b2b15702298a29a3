"""Names in addresses: what a slug may be, how one is made from a name, and how a part of a URL is read."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from projects.models import SLUG_LENGTH

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
BIGINT_MAX: Final = 2**63 - 1
_BIGINT_DIGITS: Final = 19

# First parts of addresses of the service itself, so that no organization's pages can hide one. A slug has no dot, which
# keeps host names such as Backtrace's submit address apart anyway.
_SERVICE_WORDS: Final = (
    "accounts admin api apple applecrashreport assets audit auth buildid builtin crashes default docs favicon health"
    " healthcheck help index2 livez login logout members metrics minidump native new operations organizations post"
    " projects proxy readyz register requests schema search settings sources ssqp static status submit symbolicate"
    " symbolicate-any symbolicate-js symbolicate-jvm symbols symbolserver symstore system tokens upload users v1 www"
)
RESERVED_ORGANIZATIONS: Final = frozenset(_SERVICE_WORDS.split())
# Names that pages of an organization use in the place of a project.
_ORGANIZATION_WORDS: Final = (
    "admin audit builtin crashes create default edit members new projects settings sources tokens"
)
RESERVED_PROJECTS: Final = frozenset(_ORGANIZATION_WORDS.split())


def is_slug(text: str) -> bool:
    """Whether `text` can address something by name: `[a-z0-9][a-z0-9_-]*`, at most 50 long, not all digits."""
    return len(text) <= SLUG_LENGTH and _SLUG.fullmatch(text) is not None and not text.isdigit()


def slug_from_name(name: str) -> str:
    """A slug made of the letters and digits of `name`; empty where it has none that fit."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:SLUG_LENGTH].rstrip("-_")
    if slug.isdigit():
        return f"project-{slug}"[:SLUG_LENGTH]
    return slug


def parse_ref(text: str) -> int | str | None:
    """What a part of a URL addresses: an id (all digits), a slug, or nothing that can exist (None)."""
    if text.isascii() and text.isdigit():
        # The length first: Python refuses to convert thousands of digits.
        number = int(text) if len(text.lstrip("0")) <= _BIGINT_DIGITS and len(text) <= SLUG_LENGTH else None
        return number if number is not None and number <= BIGINT_MAX else None
    return text if is_slug(text) else None
