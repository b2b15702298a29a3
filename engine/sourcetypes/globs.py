"""Path patterns of source filters: `*`, `?`, `**` and character classes over a whole path, without regard to case."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.errors import SymbolsvcError


class BadGlob(SymbolsvcError):
    """The pattern cannot be understood."""

    code = "bad_glob"


def matches(pattern: str, path: str) -> bool:
    """Whether the whole of `path` matches; a backslash in the path counts as a slash. Raises BadGlob."""
    return compile_glob(pattern).match(path.replace("\\", "/")) is not None


@lru_cache(maxsize=2048)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression. Raises BadGlob."""
    parts, at = [], 0
    while at < len(pattern):
        text, at = _token(pattern, at)
        parts.append(text)
    return re.compile(rf"\A{''.join(parts)}\Z", re.IGNORECASE | re.DOTALL)


def _token(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "*":
        return _stars(pattern, at)
    if char == "?":
        return ".", at + 1
    if char == "[":
        return _bracket(pattern, at)
    return re.escape(char), at + 1


def _stars(pattern: str, at: int) -> tuple[str, int]:
    """One star crosses slashes already; two are allowed as a whole component only, and cover any number of them."""
    end = at
    while end < len(pattern) and pattern[end] == "*":
        end += 1
    count = end - at
    if count > 2:
        raise BadGlob("at most two stars may follow each other")
    if count == 1:
        return "[^\\x00]*?", end
    whole = (at == 0 or pattern[at - 1] == "/") and (end == len(pattern) or pattern[end] == "/")
    if not whole:
        raise BadGlob("two stars must be a whole component of the path")
    if end == len(pattern):
        return ".*?", end
    return "(?:.*?/)?", end + 1


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    start = at + 1
    negated = pattern.startswith("!", start)
    start += negated
    end = pattern.find("]", start + 1)
    if end < 0:
        raise BadGlob("a character class is not closed")
    return f"[{'^' if negated else ''}{_class(pattern[start:end])}]", end + 1


def _class(body: str) -> str:
    """The members of a character class: single characters and ranges such as `a-z`."""
    members, at = [], 0
    while at < len(body):
        if at + 2 < len(body) and body[at + 1] == "-":
            low, high = body[at], body[at + 2]
            if low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
        else:
            members.append(re.escape(body[at]))
            at += 1
    return "".join(members) or "\\Z"
