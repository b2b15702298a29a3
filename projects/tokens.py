"""The text of a token: how it is made and digested. The text itself is never stored, logged or shown again."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from projects.models import TOKEN_LENGTH, TOKEN_PREFIX_LENGTH

# Crash clients cut the token out of a URL by its length, so every token has this form.
_TEXT: Final = re.compile(rf"[0-9a-f]{{{TOKEN_LENGTH}}}")


def new_text() -> str:
    """A fresh token: 256 random bits as 64 lower-case hex characters."""
    return secrets.token_hex(TOKEN_LENGTH // 2)


def looks_like_token(text: str) -> bool:
    """Whether `text` has the form of a token; anything else needs no look into the database."""
    return _TEXT.fullmatch(text) is not None


def digest(text: str) -> bytes:
    """What is stored of a token. Plain SHA-256: the text is random, so there is nothing to guess from a dictionary."""
    return hashlib.sha256(text.encode("ascii")).digest()


def prefix(text: str) -> str:
    """The visible name of a token: its first 8 characters."""
    return text[:TOKEN_PREFIX_LENGTH]
