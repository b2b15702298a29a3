"""Running a query in the database, for a limited time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, cast

import orjson
from django.db import DataError, OperationalError, connection, transaction
from psycopg.errors import InvalidRegularExpression, QueryCanceled

from crashes.answers import MALFORMED, Refusal, malformed
from crashes.query.literals import Binder

SECONDS: Final = 10
# What clients can hold as an integer.
_INTEGERS: Final = float(1 << 63)
_TOO_LONG: Final = f"the query takes longer than {SECONDS} s: narrow it down, by timestamp for instance"


@contextmanager
def limited() -> Iterator[None]:
    """Statements in here take a limited time each.

    Raises Refusal (400) for a query that takes too long, or a regular expression that is none.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [int(SECONDS * 1000)])
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Refusal(400, MALFORMED, _TOO_LONG) from None
        raise
    except DataError as error:
        if isinstance(error.__cause__, InvalidRegularExpression):
            raise malformed("filter: the regular expression cannot be used") from None
        raise


def rows(statement: str, bind: Binder) -> list[tuple[Any, ...]]:
    """What a statement made of our own texts and placeholders returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, bind.values)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def decoded(value: str | None) -> Any:
    """JSON from the database as a value."""
    return None if value is None else orjson.loads(value)


def plain(number: Decimal | float | int | None) -> int | float | None:
    """A number as JSON can have it."""
    if number is None or isinstance(number, int):
        return number
    as_float = float(number)
    return int(number) if abs(as_float) < _INTEGERS and number == int(number) else as_float
