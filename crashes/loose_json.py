"""JSON as crash clients write it: with lone surrogates, NaN, a byte order mark or bytes that are no UTF-8."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import orjson

# What the slower reader takes, which needs up to thirty times as much memory.
_MOST_ODD_BYTES: Final = 8 << 20


class BadJson(ValueError):
    """It is no JSON, or too deep, or odd and too long for that."""


def read_json(data: bytes | bytearray | memoryview) -> Any:
    """The value of a document. What JSON has no word for (NaN, infinite numbers) is None; texts may hold surrogates.

    Raises BadJson, also for more than about a thousand levels.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_odd_json(data)


def read_odd_json(data: bytes | bytearray | memoryview) -> Any:
    """As `read_json`, for what a strict reader refused already."""
    if len(data) > _MOST_ODD_BYTES:
        raise BadJson("not valid JSON")
    text = bytes(data).decode("utf-8-sig", "replace")
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_nothing)
    except RecursionError:
        raise BadJson("nested too deeply") from None
    except ValueError as error:
        raise BadJson(f"not valid JSON: {error}"[:200]) from None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _nothing(_text: str) -> None:
    return None
