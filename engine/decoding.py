"""Bodies of requests turned into structs: one place decides which failure is which.

Error texts name the path of a field, never its value.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from engine.errors import SymbolsvcError

_PATH = re.compile(r" - at `([^`]*)`\Z")
Decoded = TypeVar("Decoded")


class BadJson(SymbolsvcError):
    """The body is not JSON."""

    code = "bad_json"


class BadSchema(SymbolsvcError):
    """The body is JSON and not a request."""

    code = "bad_schema"


def decode_body(decoder: msgspec.json.Decoder[Decoded], body: bytes) -> Decoded:
    """What `decoder` makes of a body. Raises BadSchema for valid JSON that does not fit, else BadJson."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadSchema(_without_values(str(error))) from None
    except UnicodeDecodeError:
        raise BadJson("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadJson("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadJson(f"the body is not valid JSON: {error}") from None


def _without_values(text: str) -> str:
    """The decoder's message; only messages about enumerations quote what was given."""
    path = _PATH.search(text)
    where = path[1] if path else "$"
    if text.startswith("Invalid enum value"):
        return f"{where}: not one of the known values"
    return f"{where}: {_PATH.sub('', text)}"
