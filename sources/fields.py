"""The kinds of fields that a symbol source is made of.

One table per source type is the truth: the same kind checks a value and describes itself in the OpenAPI schema, down to
the same regular expression. Types are strict (no number passes for a string), `null` counts as absent, and no message
holds a value that was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

MAX_PROBLEMS: Final = 10
MAX_PATH: Final = 80
HIDDEN_SECRET: Final = "hidden-secret"  # noqa: S105 - the marker's name, no secret

# Written out, since \s and \w mean something else in every regular-expression dialect that reads a schema.
CONTROLS: Final = r"\u0000-\u001f\u007f-\u009f"
BLANKS: Final = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

ANY_TEXT: Final = rf"[^{CONTROLS}]*"
NOT_BLANK: Final = rf"[{BLANKS}]*[^{CONTROLS}{BLANKS}][^{CONTROLS}]*"
LINE_BREAKS: Final = r"\u0009\u000a\u000d"
NOT_BLANK_LINES: Final = (
    rf"[{LINE_BREAKS}{BLANKS}]*[^{CONTROLS}{BLANKS}][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*"
)

REQUIRED: Final = "this field is required"
UNKNOWN: Final = "unknown field"

Schema = dict[str, Any]


@dataclass(slots=True)
class Problems:
    """What is wrong with a body, by field path. Bounded, and free of values."""

    texts: list[str] = field(default_factory=list)
    # Field path and text of each, for forms.
    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, why: str) -> None:
        self.texts.append(f"{shown_path(path)}: {why}")
        self.found.append((shown_path(path), why))

    def say(self, path: str, text: str) -> None:
        self.texts.append(text)
        self.found.append((shown_path(path), text))

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __str__(self) -> str:
        more = len(self.texts) - MAX_PROBLEMS
        return "; ".join(self.texts[:MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")


class Kind(Protocol):
    """What a field may hold."""

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        """The value to store; what is wrong goes to `problems`."""
        ...

    def schema(self) -> Schema:
        """The same rules as an OpenAPI schema."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a source: its name on the wire, what it may hold, and a text for the schema."""

    name: str
    kind: Kind
    doc: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `longest` code points that matches `pattern` (anchored at both ends)."""

    longest: int
    pattern: str = NOT_BLANK
    why: str = "must not be blank or hold control characters"
    refused: tuple[tuple[str, str], ...] = ()

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not str:
            problems.add(path, "must be a string")
        elif len(value) > self.longest:
            problems.add(path, f"must have at most {self.longest} characters")
        elif not encodable(value):
            problems.add(path, "must be valid Unicode")
        elif re.fullmatch(self.pattern, value) is None:
            problems.add(path, self.why)
        else:
            for text in (text for pattern, text in self.refused if re.match(pattern, value)):
                problems.say(path, text)
        return value

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "maxLength": self.longest, "pattern": f"^{self.pattern}$"}
        if re.fullmatch(self.pattern, "") is None:
            schema["minLength"] = 1
        if self.refused:
            schema["not"] = {"type": "string", "pattern": "|".join(f"^{pattern}" for pattern, _ in self.refused)}
        return schema


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, in exactly this case."""

    words: tuple[str, ...]

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not str or value not in self.words:
            problems.add(path, f"must be one of {', '.join(self.words)}")
        return value

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false, not a number that resembles them."""

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not bool:
            problems.add(path, "must be true or false")
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array of at most `longest` values of one kind."""

    kind: Kind
    longest: int

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not list:
            problems.add(path, "must be an array")
            return value
        if len(value) > self.longest:
            problems.add(path, f"must have at most {self.longest} elements")
            return value
        return [self.kind.clean(item, f"{path}[{number}]", problems) for number, item in enumerate(value)]

    def schema(self) -> Schema:
        return {"type": "array", "items": self.kind.schema(), "maxItems": self.longest}


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object with these fields and no others."""

    fields: tuple[Field, ...]

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not dict:
            problems.add(path, "must be an object")
            return value
        return clean_fields(self.fields, value, path, problems)

    def schema(self) -> Schema:
        return object_schema(self.fields)


def clean_fields(fields: Sequence[Field], given: Mapping[str, object], path: str, problems: Problems) -> dict[str, Any]:
    """The given fields in the table's order, without those that are null."""
    names = {entry.name for entry in fields}
    for name in given:
        if name not in names:
            problems.add(_join(path, name), UNKNOWN)
    cleaned: dict[str, Any] = {}
    for entry in fields:
        value = given.get(entry.name)
        if value is not None:
            cleaned[entry.name] = entry.kind.clean(value, _join(path, entry.name), problems)
        elif entry.required:
            problems.add(_join(path, entry.name), REQUIRED)
    return cleaned


def object_schema(fields: Sequence[Field]) -> Schema:
    """The schema of an object with these fields and no others; optional ones may be null."""
    properties = {entry.name: field_schema(entry) for entry in fields}
    required = [entry.name for entry in fields if entry.required]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def field_schema(entry: Field) -> Schema:
    """The schema of one field, with its text."""
    schema = {**entry.kind.schema(), "description": entry.doc}
    return schema if entry.required else or_null(schema)


def or_null(schema: Schema) -> Schema:
    """The schema, or null."""
    changed: Schema = {**schema, "type": [schema["type"], "null"]}
    return {**changed, "enum": [*schema["enum"], None]} if "enum" in schema else changed


def encodable(text: str) -> bool:
    """Whether the text is free of lone surrogates, which neither UTF-8 nor the database can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown_path(path: str) -> str:
    """A field path that is safe to answer: printable and of bounded length."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path[: MAX_PATH + 1])
    return text if len(text) <= MAX_PATH else text[:MAX_PATH] + "\N{HORIZONTAL ELLIPSIS}"


def is_hidden(value: object) -> bool:
    """Whether a secret's value is exactly `{"hidden-secret": true}` (1 is not true)."""
    return type(value) is dict and list(value) == [HIDDEN_SECRET] and value[HIDDEN_SECRET] is True


def hidden() -> dict[str, bool]:
    """What stands for a secret in every answer."""
    return {HIDDEN_SECRET: True}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
