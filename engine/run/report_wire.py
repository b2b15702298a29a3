"""What comes beside a minidump or an Apple crash report, decoded and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.decoding import BadSchema, decode_body
from engine.native.wire import Scraping
from engine.run.rewriting import BadPattern, RewriteRule

__all__ = ["GivenRule", "ReportOptions", "RewriteRule", "decode_rewrite", "made_rules"]

_MAX_RULES = 100


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a crash report is to be symbolicated; source context is always given, frames are always callee first.

    `rewrite_first_module` is applied to the debug file of a minidump's lowest module when its files are looked for.
    """

    dif_candidates: bool = False
    scraping: Scraping | None = None
    rewrite_first_module: tuple[RewriteRule, ...] = ()
    platform: str | None = None


class GivenRule(msgspec.Struct):
    """A rule of `rewrite_first_module` as it came."""

    from_: str = msgspec.field(name="from")
    to: str


_RULES = msgspec.json.Decoder(list[GivenRule] | None)


def decode_rewrite(body: bytes) -> tuple[RewriteRule, ...]:
    """The rules of a `rewrite_first_module` field. Raises BadJson or BadSchema, which names the rule."""
    return made_rules(decode_body(_RULES, body) or [])


def made_rules(given: Sequence[GivenRule], path: str = "$") -> tuple[RewriteRule, ...]:
    """The rules as they are used. Raises BadSchema, which names the rule; `path` is where the rules stand."""
    if len(given) > _MAX_RULES:
        raise BadSchema(f"{path}: more than {_MAX_RULES} rules")
    return tuple(_rule(rule, f"{path}[{at}]") for at, rule in enumerate(given))


def _rule(rule: GivenRule, path: str) -> RewriteRule:
    try:
        return RewriteRule.make(rule.from_, rule.to)
    except BadPattern as error:
        raise BadSchema(f"{path}.from: {error}") from None
