"""The attributes of a crash: flat, few, short, and without secrets."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from crashes.scrubbing.names import Names, is_environment
from crashes.scrubbing.texts import MASK
from crashes.scrubbing.values import DEEPEST, scrubbed, scrubbed_text

MOST_ATTRIBUTES: Final = 1000
NAME_LENGTH: Final = 200
VALUE_LENGTH: Final = 8192
# What is looked at of a longer text: more than is kept, so that no secret is cut in two.
_LOOKED_AT: Final = 2 * VALUE_LENGTH

Scalar = str | int | float | bool | None


def scrub_attributes(values: Mapping[str, Any], extra: Collection[str] = ()) -> dict[str, Scalar]:
    """Attributes as they are stored: texts, numbers, booleans and null by name.

    The first 1,000 count; names are cut to 200 characters, texts to 8,192, and nested values become JSON text. Values
    under secret names, of which `extra` are more, and secrets within texts are masked as `scrub` does.
    """
    names = Names.of(extra)
    return {
        _name(str(name)[: 2 * NAME_LENGTH]): _value(str(name), value, names)
        for name, value in islice(values.items(), MOST_ATTRIBUTES)
    }


# All reports of a program have the same names.
@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    return scrubbed_text(text)[:NAME_LENGTH]


def _value(name: str, value: Any, names: Names) -> Scalar:
    if is_environment(name, value) or names.hides(name, value):
        return MASK
    if isinstance(value, str):
        return scrubbed_text(value[:_LOOKED_AT])[:VALUE_LENGTH]
    made = scrubbed(value, names, DEEPEST)
    if isinstance(made, dict | list):
        return json.dumps(made, ensure_ascii=False, separators=(",", ":"))[:VALUE_LENGTH]
    scalar: Scalar = made
    return scalar
