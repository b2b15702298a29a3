"""What comes beside a minidump or an Apple crash report, decoded and checked."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.decoding import BadSchema, decode_body
from engine.native.wire import Scraping
from engine.run.rewriting import BadPattern, RewriteRule

__all__ = ["ReportOptions", "RewriteRule", "decode_rewrite"]

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


class _Rule(msgspec.Struct):
    from_: str = msgspec.field(name="from")
    to: str


_RULES = msgspec.json.Decoder(list[_Rule] | None)


def decode_rewrite(body: bytes) -> tuple[RewriteRule, ...]:
    """The rules of a `rewrite_first_module` field. Raises BadJson or BadSchema, which names the rule."""
    given = decode_body(_RULES, body) or []
    if len(given) > _MAX_RULES:
        raise BadSchema(f"$: more than {_MAX_RULES} rules")
    return tuple(_rule(rule, at) for at, rule in enumerate(given))


def _rule(rule: _Rule, at: int) -> RewriteRule:
    try:
        return RewriteRule.make(rule.from_, rule.to)
    except BadPattern as error:
        raise BadSchema(f"$[{at}].from: {error}") from None
