"""Values that a query compares with, and the one place where values become part of SQL: always as parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from core.text import storable
from crashes.answers import malformed

MOST_CHARACTERS: Final = 8_192
# What counts as a number, here and in the database, so that a cast never fails nor makes something huge.
NUMBER: Final = r"^[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?$"
_NUMBER: Final = re.compile(NUMBER)
# Clients write integers like this.
_MARKED: Final = re.compile(r"[+-]?[0-9]{1,30}\.")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of a query: its text; as a number where it can be one; and whether it was surely meant as a number."""

    text: str
    number: Decimal | None
    is_number: bool


@dataclass(slots=True)
class Binder:
    """Collects the parameters of a statement."""

    values: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: Any) -> str:
        """The placeholder of a value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def literal(value: object, where: str) -> Literal:
    """A value as it stands in a query. Raises Refusal (400)."""
    if isinstance(value, bool):
        return Literal("true" if value else "false", None, False)
    if isinstance(value, int | float):
        text = str(value)
        return Literal(text, number_of(text), True)
    if not isinstance(value, str):
        raise malformed(f"{where}: a text or a number is wanted")
    if len(value) > MOST_CHARACTERS:
        raise malformed(f"{where}: at most {MOST_CHARACTERS} characters")
    text = storable(value)
    marked = _MARKED.fullmatch(text) is not None
    return Literal(text.rstrip(".") if marked else text, number_of(text), marked)


def number_of(text: str) -> Decimal | None:
    """The number that a text is; None for what is none, or one with too many digits."""
    return Decimal(text) if _NUMBER.match(text) and "\n" not in text else None
