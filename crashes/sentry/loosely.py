"""JSON and MessagePack as clients write them: with halves of surrogate pairs, NaN, and bytes that are no UTF-8."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from core.text import storable
from crashes.loose_json import BadJson, read_odd_json

Decoded = TypeVar("Decoded")


def decoded(data: bytes | msgspec.Raw, type_: type[Decoded]) -> Decoded:
    """JSON as `type_`. Raises BadJson, whose message repeats nothing of the data."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        raise BadJson(_reason(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _repaired(data, type_)


def json_of(value: Any) -> bytes:
    """Any value as JSON whose texts are storable. Raises BadJson for what is nested too deeply."""
    try:
        return msgspec.json.encode(_cleaned(value))
    except RecursionError:
        raise BadJson("nested too deeply") from None


def _repaired(data: bytes | msgspec.Raw, type_: type[Decoded]) -> Decoded:
    value = read_odd_json(memoryview(data))
    if isinstance(value, dict):
        wanted = getattr(type_, "__struct_fields__", value)
        value = {name: inner for name, inner in value.items() if name in wanted}
    # Decoded once more from what is plain JSON then: a type may keep parts of it as they stand.
    plain = json_of(value)
    try:
        return msgspec.json.decode(plain, type=type_)
    except msgspec.ValidationError as error:
        raise BadJson(_reason(error)) from None
    except (msgspec.MsgspecError, RecursionError):
        raise BadJson("not valid JSON") from None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    if isinstance(value, bytes):
        return storable(value.decode("utf-8", "replace"))
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _reason(error: msgspec.ValidationError) -> str:
    reason, _, path = str(error).partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".")
    return f"{field}: {reason}" if field else reason
