"""Rules that rewrite the name of a debug file before it is looked up.

The expressions come with a request, so they run in RE2, which takes time in proportion to expression and text whatever
they are made of. Replacements are written as in Rust's `regex`: `$1`, `$name`, `${name}` and `$$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import re2

# What one compiled expression may take; RE2's own limits on repetitions keep compiling quick.
_MAX_BYTES = 1 << 20
_MAX_PATTERN = 4096
_MAX_RESULT = 4096
_REFERENCE = re.compile(r"\$(?:(\$)|\{([^}]*)\}|([0-9A-Za-z_]+))")


class BadPattern(ValueError):
    """An expression is not valid, or too expensive."""


@dataclass(frozen=True, slots=True)
class RewriteRule:
    """Replace the first match of an expression. Two rules are equal when they do the same."""

    pattern: str
    replacement: str
    compiled: Any

    @classmethod
    def make(cls, pattern: str, replacement: str) -> RewriteRule:
        """Raises BadPattern, with what is wrong and nothing of the expression."""
        if len(pattern) > _MAX_PATTERN or len(replacement) > _MAX_PATTERN:
            raise BadPattern(f"longer than {_MAX_PATTERN} characters")
        options = re2.Options()
        options.max_mem = _MAX_BYTES
        options.log_errors = False
        try:
            return cls(pattern, replacement, re2.compile(pattern, options))
        except re2.error as error:
            raise BadPattern(_reason(error)) from None

    def apply(self, text: str) -> str | None:
        """The rewritten text, None when the expression does not match."""
        match = self.compiled.search(text)
        if match is None:
            return None
        start, end = match.span()
        put = _REFERENCE.sub(lambda reference: _referred(match, self.compiled, reference), self.replacement)
        return (text[:start] + put + text[end:])[:_MAX_RESULT]


def rewrite(text: str, rules: Iterable[RewriteRule]) -> str:
    """The text as the first rule that matches makes it, or as it is."""
    return next((changed for rule in rules if (changed := rule.apply(text)) is not None), text)


def _referred(match: Any, compiled: Any, reference: re.Match[str]) -> str:
    """What stands for a reference: groups that do not exist or took no part are empty."""
    if reference[1]:
        return "$"
    name = reference[2] if reference[2] is not None else reference[3]
    number = int(name) if name.isdecimal() and len(name) < 6 else compiled.groupindex.get(name)
    return match.group(number) or "" if number is not None and number <= compiled.groups else ""


def _reason(error: Exception) -> str:
    """RE2's message without the piece of the expression that it quotes."""
    text = error.args[0] if error.args else ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return text.partition(":")[0] or "not a valid expression"
