"""The body of a query."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from django.http import HttpRequest
from msgspec import Meta

from core.wire.body import read_body
from core.wire.coding import unpacked
from crashes.answers import TOO_LARGE, Refusal, malformed

BODY_BYTES: Final = 1 << 20
MOST_ROWS: Final = 10_000
DEFAULT_ROWS: Final = 1_000
MOST_COLUMNS: Final = 100
MOST_OFFSET: Final = 10_000_000

Condition = Annotated[list[Any], Meta(max_length=3)]


class Order(msgspec.Struct):
    """A column to sort by; `ordering` is ascending unless it says descending."""

    name: str
    ordering: str = "ascending"

    @property
    def direction(self) -> str:
        """As SQL has it."""
        return "DESC" if self.ordering.lower().startswith("desc") else "ASC"


class Query(msgspec.Struct):
    """What a client asks. What is not known here is ignored, as clients send more than is documented."""

    filter: list[dict[str, list[Condition]]] = []
    select: Annotated[list[str], Meta(max_length=MOST_COLUMNS)] | None = None
    fold: dict[str, Annotated[list[list[Any]], Meta(max_length=MOST_COLUMNS)]] | None = None
    group: list[str | list[str]] = []
    order: Annotated[list[Order], Meta(max_length=10)] = []
    offset: Annotated[int, Meta(ge=0, le=MOST_OFFSET)] = 0
    limit: Annotated[int, Meta(ge=0, le=MOST_ROWS)] = DEFAULT_ROWS

    @property
    def groups(self) -> list[str]:
        """Names of the attributes to group by."""
        return [name for entry in self.group for name in ([entry] if isinstance(entry, str) else entry)]


def read(request: HttpRequest) -> bytes:
    """The body of a request, unpacked. Raises what `core.wire` raises, and Refusal (413) for too much of it."""
    pieces = unpacked([read_body(request, limit=BODY_BYTES)], request.headers.get("Content-Encoding", ""))
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > BODY_BYTES:
            raise Refusal(413, TOO_LARGE, f"the body is larger than {BODY_BYTES} bytes")
    return bytes(body)


_decoder: Final = msgspec.json.Decoder(Query)


def decode(body: bytes) -> Query:
    """The query in a body; an empty one asks for nothing in particular. Raises Refusal (400)."""
    if not body.strip():
        return Query()
    try:
        query = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed(_without_value(str(error))) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise malformed("the body is not JSON") from None
    if query.select is not None and query.fold is not None:
        raise malformed("select and fold: only one of them can be asked for at once")
    if query.groups and query.fold is None:
        raise malformed("group: needs a fold")
    if len(query.groups) > 1:
        raise malformed("group: by one attribute at most")
    if sum(len(operations) for operations in (query.fold or {}).values()) > MOST_COLUMNS:
        raise malformed(f"fold: at most {MOST_COLUMNS} operations")
    return query


def _without_value(text: str) -> str:
    reason, _, path = text.partition(" - at `$.")
    return f"{path.rstrip('`')}: {reason}" if path else reason
