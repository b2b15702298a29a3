"""Secrets within texts: what is recognized by its form. Every pattern takes time in proportion to the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

MASK: Final = "[redacted]"

_Replacement = str | Callable[[re.Match[str]], str]
_TELLING: Final = (
    r"passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|auth[_-]?token|access[_-]?token|refresh[_-]?token|session[_-]?token|id[_-]?token|sessionid"
)
# A text without any of these holds nothing that the patterns below could find.
_SUSPICIOUS: Final = re.compile(
    r"://|-----BEGIN|eyJ|\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d"
    r"|A(?:KIA|SIA|IDA|ROA|GPA|NPA)|gh[pousr]_|github_pat|glpat-|xox|AIza|[srp]k_|npm_|sk-|[0-9a-f]{64}/"
    r"|(?i:passw|passphrase|secret|[_ -]?key|credential|token|sessionid|bearer|basic|authorization|[?&;]\w{1,20}=|--\w)"
)
_CARDS: Final = re.compile(r"(?<![0-9A-Za-z.:_-])[2-6](?:[ -]?\d){12,18}(?![0-9A-Za-z])")
_CARD_NUMBER: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
)


def scrub_text(text: str) -> str:
    """`text` with what looks like a secret masked: keys, tokens, passwords in addresses and assignments, card numbers.

    Says nothing about a bare word that happens to be a password: only its name could tell.
    """
    if not _SUSPICIOUS.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def is_card_number(digits: str) -> bool:
    """Whether digits are the number of a payment card: of a known issuer, with the right last digit."""
    if not _CARD_NUMBER.fullmatch(digits):
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _card(match: re.Match[str]) -> str:
    return MASK if is_card_number(re.sub("[ -]", "", match[0])) else match[0]


def _made(expression: str, replacement: _Replacement = MASK) -> tuple[re.Pattern[str], _Replacement]:
    return re.compile(expression), replacement


_PATTERNS: Final = (
    _made(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]{0,60}-----)?"),
    # JSON Web Tokens.
    _made(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}"),
    _made(
        r"(?i)\b(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[a-z]{1,20}\s{1,3})?)[^\s\"',;]{1,4096}", rf"\1{MASK}"
    ),
    _made(r"(?i)\b(bearer\s{1,3})[A-Za-z0-9._~+/=-]{8,}", rf"\1{MASK}"),
    _made(r"(?i)\b(basic\s{1,3})[A-Za-z0-9+/]{16,}={0,2}", rf"\1{MASK}"),
    # The password of an address.
    _made(r"(://[^\s/:@?#\"']{0,200}:)[^\s/\"']{1,500}@", rf"\1{MASK}@"),
    # The token of a client's address for submissions.
    _made(r"(?i)/[0-9a-f]{64}(?=/|\b)", f"/{MASK}"),
    _made(
        r"(?i)([?&;](?:[\w.-]{0,40}(?:token|secret|passwd|password|signature|credential)|(?:api_?)?key|pwd|pass|sig|auth"
        r"|code|sid)=)[^&\s\"'#]{1,8192}",
        rf"\1{MASK}",
    ),
    # Keys of well-known services tell what they are.
    _made(r"\bA(?:KIA|SIA|IDA|ROA|GPA|NPA)[A-Z0-9]{16}\b"),
    _made(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{15,255}|npm_[A-Za-z0-9]{30,255})"),
    _made(r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,255}|AIza[0-9A-Za-z_-]{35}|[srp]k_(?:live|test)_[0-9A-Za-z]{10,255})"),
    _made(r"\bsk-[A-Za-z0-9_-]{20,255}"),
    # `password=…`, `"api_key": "…"`, `--token …`
    _made(
        rf"(?i)((?:{_TELLING})[\w.-]{{0,20}}[\"']?\s{{0,3}}[:=]\s{{0,3}}(?:\"[^\"\r\n]{{1,4096}}\"|'[^'\r\n]{{1,4096}}'"
        r"|[^\s\"',;&)]{1,4096}))",
        lambda match: _assignment(match[0]),
    ),
    _made(
        rf"(?i)(?<![\w-])(--?(?:[a-z]{{1,20}}-){{0,2}}(?:{_TELLING}|token|pwd)(?:=|\s{{1,3}}))[^\s\"'-][^\s\"']{{0,4096}}",
        rf"\1{MASK}",
    ),
    (_CARDS, _card),
)
_ASSIGNED: Final = re.compile(r"([\w.-]{1,60}[\"']?\s{0,3}[:=]\s{0,3})([\"']?)")


def _assignment(text: str) -> str:
    head = _ASSIGNED.match(text)
    return MASK if head is None else f"{head[1]}{head[2]}{MASK}{head[2]}"
