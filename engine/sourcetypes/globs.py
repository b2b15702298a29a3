"""Path patterns of source filters: `*`, `?`, `**` and character classes over a whole path, without regard to case."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.errors import SymbolsvcError

_ANYTHING = ".*?"
_COMPONENTS = "(?:|.*?/)"


class BadGlob(SymbolsvcError):
    """The pattern cannot be understood."""

    code = "bad_glob"


def matches(pattern: str, path: str) -> bool:
    """Whether the whole of `path` matches; a backslash in the path counts as a slash. Raises BadGlob."""
    return compile_glob(pattern).match(path.replace("\\", "/")) is not None


@lru_cache(maxsize=2048)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression that matches in linear time for any path. Raises BadGlob.

    What follows a star is taken where it first occurs: a later place cannot match what an earlier one does not.
    So every such group but the last is atomic, and nothing is tried twice.
    """
    pieces = [("", "")]
    at = 0
    while at < len(pattern):
        gap, text, at = _token(pattern, at)
        if gap:
            pieces.append((gap, ""))
        else:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + text)
    start, *middle = pieces
    last = middle.pop() if middle else ("", "")
    groups = "".join(f"(?>{gap}{text})" for gap, text in middle)
    return re.compile(rf"\A{start[1]}{groups}{''.join(last)}\Z", re.IGNORECASE | re.DOTALL)


def _token(pattern: str, at: int) -> tuple[str, str, int]:
    """The next token as (gap, literal, place after it); one of the first two is empty."""
    char = pattern[at]
    if char == "*":
        gap, after = _stars(pattern, at)
        return gap, "", after
    if char == "?":
        return "", ".", at + 1
    if char == "[":
        text, after = _bracket(pattern, at)
        return "", text, after
    return "", re.escape(char), at + 1


def _stars(pattern: str, at: int) -> tuple[str, int]:
    """One star crosses slashes already; two are allowed as a whole component only, and cover any number of them."""
    end = at
    while end < len(pattern) and pattern[end] == "*":
        end += 1
    if end - at == 1:
        return _ANYTHING, end
    if end - at > 2:
        raise BadGlob("at most two stars may follow each other")
    if not ((at == 0 or pattern[at - 1] == "/") and (end == len(pattern) or pattern[end] == "/")):
        raise BadGlob("two stars must be a whole component of the path")
    return (_ANYTHING, end) if end == len(pattern) else (_COMPONENTS, end + 1)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    start = at + 1
    negated = pattern.startswith("!", start)
    start += negated
    end = pattern.find("]", start + 1)
    if end < 0:
        raise BadGlob("a character class is not closed")
    members = _members(pattern[start:end])
    if not members:
        return (".", end + 1) if negated else ("(?!)", end + 1)
    return f"[{'^' if negated else ''}{members}]", end + 1


def _members(body: str) -> str:
    """The members of a character class: single characters and ranges such as `a-z`; a range upside down is empty."""
    members, at = [], 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            low, high = body[at], body[at + 2]
            if low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
        else:
            members.append(re.escape(body[at]))
            at += 1
    return "".join(members)
