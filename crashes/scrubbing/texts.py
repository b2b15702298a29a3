"""Secrets within texts: what is recognized by its form. Every pattern takes time in proportion to the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

MASK: Final = "[redacted]"

_Replacement = str | Callable[[re.Match[str]], str]
_TELLING: Final = (
    r"passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|auth[_-]?token|access[_-]?token|refresh[_-]?token|session[_-]?token|id[_-]?token|sessionid"
)
_ASSIGNED: Final = re.compile(r"([\w.-]{1,60}[\"']?\s{0,3}[:=]\s{0,3})([\"']?)")
_SHORTEST_CARD: Final = 13
_CARDS: Final = re.compile(r"(?<![0-9A-Za-z.:_-])[2-6](?:[ -]?\d){12,18}(?![0-9A-Za-z])")
_CARD_NUMBER: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
)


def scrub_text(text: str) -> str:
    """`text` with what looks like a secret masked: keys, tokens, passwords in addresses and assignments, card numbers.

    Says nothing about a bare word that happens to be a password: only its name could tell.
    """
    lowered = text.lower()
    for one in _PATTERNS:
        for word in one.words:
            if word in lowered:
                text = one.pattern.sub(one.replacement, text)
                break
    return _CARDS.sub(_card, text) if len(text) >= _SHORTEST_CARD else text


def is_card_number(digits: str) -> bool:
    """Whether digits are the number of a payment card: of a known issuer, with the right last digit."""
    if not _CARD_NUMBER.fullmatch(digits):
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _card(match: re.Match[str]) -> str:
    return MASK if is_card_number(re.sub("[ -]", "", match[0])) else match[0]


class _Pattern(NamedTuple):
    """What is masked, and by which words (in lower case) a text is known that may hold it."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: _Replacement = MASK


def _assignment(match: re.Match[str]) -> str:
    head = _ASSIGNED.match(match[0])
    return MASK if head is None else f"{head[1]}{head[2]}{MASK}{head[2]}"


_WORDS: Final = ("passw", "passphrase", "secret", "key", "credential", "token", "sessionid")
_PATTERNS: Final = (
    _Pattern(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]{0,60}-----)?"
        ),
    ),
    # JSON Web Tokens.
    _Pattern(
        ("eyj",),
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}"),
    ),
    _Pattern(
        ("authorization",),
        re.compile(
            r"(?i)\b(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[a-z]{1,20}\s{1,3})?)[^\s\"',;]{1,4096}",
        ),
        rf"\1{MASK}",
    ),
    _Pattern(("bearer",), re.compile(r"(?i)\b(bearer\s{1,3})[A-Za-z0-9._~+/=-]{8,}"), rf"\1{MASK}"),
    _Pattern(("basic",), re.compile(r"(?i)\b(basic\s{1,3})[A-Za-z0-9+/]{16,}={0,2}"), rf"\1{MASK}"),
    # The password of an address.
    _Pattern(("://",), re.compile(r"(://[^\s/:@?#\"']{0,200}:)[^\s/\"']{1,500}@"), rf"\1{MASK}@"),
    # The token of a client's address for submissions.
    _Pattern(("://",), re.compile(r"(?i)/[0-9a-f]{64}(?=/|\b)"), f"/{MASK}"),
    _Pattern(
        ("=",),
        re.compile(
            r"(?i)([?&;](?:[\w.-]{0,40}(?:token|secret|passwd|password|signature|credential)|(?:api_?)?key|pwd|pass"
            r"|sig|auth|code|sid)=)[^&\s\"'#]{1,8192}"
        ),
        rf"\1{MASK}",
    ),
    # Keys of well-known services tell what they are.
    _Pattern(
        ("akia", "asia", "aida", "aroa", "agpa", "anpa"), re.compile(r"\bA(?:KIA|SIA|IDA|ROA|GPA|NPA)[A-Z0-9]{16}\b")
    ),
    _Pattern(
        ("gh", "github_pat_", "glpat-", "npm_"),
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{15,255}|npm_[A-Za-z0-9]{30,255})"
        ),
    ),
    _Pattern(
        ("xox", "aiza", "k_live", "k_test"),
        re.compile(
            r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,255}|AIza[0-9A-Za-z_-]{35}|[srp]k_(?:live|test)_[0-9A-Za-z]{10,255})"
        ),
    ),
    _Pattern(("sk-",), re.compile(r"\bsk-[A-Za-z0-9_-]{20,255}")),
    # `password=…`, `"api_key": "…"`
    _Pattern(
        _WORDS,
        re.compile(
            rf"(?i)(?:{_TELLING})[\w.-]{{0,20}}[\"']?\s{{0,3}}[:=]\s{{0,3}}"
            r"(?:\"[^\"\r\n]{1,4096}\"|'[^'\r\n]{1,4096}'|[^\s\"',;&)]{1,4096})"
        ),
        _assignment,
    ),
    # `--token …`
    _Pattern(
        (*_WORDS, "pwd"),
        re.compile(
            rf"(?i)(?<![\w-])(--?(?:[a-z]{{1,20}}-){{0,2}}(?:{_TELLING}|token|pwd)(?:=|\s{{1,3}}))"
            r"[^\s\"'-][^\s\"']{0,4096}"
        ),
        rf"\1{MASK}",
    ),
)
