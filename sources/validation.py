"""From the JSON body of a request to a source that can be stored. Strict, and silent about values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.api import ApiError
from sources.fields import (
    ANY_TEXT,
    HIDDEN_SECRET,
    REQUIRED,
    Field,
    Problems,
    Text,
    clean_fields,
    hidden,
    is_hidden,
)
from sources.models import SOURCE_ID_LENGTH
from sources.types import TYPES, SourceType
from sources.types.common import NAME_LENGTH

# The first is what clients know. The prefix marks the operator's sources, whose addresses answers do not show.
_RESERVED_IDS: Final = (
    ("sentry:", 'Source ids must not start with "sentry:"'),
    ("sentry$", 'Source ids must not be "sentry"'),
)

TYPE_FIELD: Final = "type"
ID: Final = Field(
    "id",
    Text(SOURCE_ID_LENGTH, refused=_RESERVED_IDS),
    "Distinct from all other ids of the project. Absent: a new UUID, also when a source is replaced.",
)
NAME: Final = Field(
    "name",
    Text(NAME_LENGTH, ANY_TEXT, "must not hold control characters"),
    "What people call the source.",
    required=True,
)


@dataclass(frozen=True, slots=True, repr=False)
class Submitted:
    """A valid body. `config` shows hidden markers for all given secrets; `secrets` holds those sent in clear."""

    type: SourceType
    source_id: str | None
    name: str
    config: dict[str, Any]
    secrets: dict[str, str]
    kept: frozenset[str]

    def __repr__(self) -> str:
        return f"<submitted {self.type.name} source {self.source_id!r}>"


class InvalidSource(ApiError):
    """A body that describes no source. `problems`: the path of each field that is wrong, and why."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(str(problems))
        self.problems = tuple(problems.found)


def read_source(body: object, *, may_keep: bool) -> Submitted:
    """The source that a body describes. `may_keep`: a secret may be `{"hidden-secret": true}`, to keep the stored one.

    Raises ApiError (InvalidSource) naming every field that is wrong, never a value.
    """
    if type(body) is not dict:
        raise ApiError("the body must be a JSON object")
    given: dict[str, object] = body
    kind = _kind(given)
    problems = Problems()
    kept = _kept(kind, given, problems, may_keep=may_keep)
    fields = {name: value for name, value in given.items() if not _left_out(kind, name, value) and name not in kept}
    # A kept secret must not be missed by the check for required fields.
    table = tuple(entry for entry in (ID, NAME, *kind.fields) if entry.name not in kept)
    cleaned = clean_fields(table, fields, "", problems)
    _check_filetypes(cleaned, problems)
    if problems:
        raise InvalidSource(problems)
    return _submitted(kind, cleaned, kept)


def _left_out(kind: SourceType, name: str, value: object) -> bool:
    """Clients with one shape for all types send null for what a type does not have."""
    return name == TYPE_FIELD or (value is None and name in foreign_fields(kind))


def foreign_fields(kind: SourceType) -> list[str]:
    """The fields of other types that this one does not have; they may be null, which counts as absent."""
    own = {entry.name for entry in kind.fields}
    return sorted({entry.name for other in TYPES.values() for entry in other.fields} - own)


def _kind(given: Mapping[str, object]) -> SourceType:
    name = given.get(TYPE_FIELD)
    if name is None:
        raise ApiError(f"{TYPE_FIELD}: {REQUIRED}", field=TYPE_FIELD)
    if type(name) is not str or name not in TYPES:
        raise ApiError(f"{TYPE_FIELD}: must be one of {', '.join(TYPES)}", field=TYPE_FIELD)
    return TYPES[name]


def _kept(kind: SourceType, given: Mapping[str, object], problems: Problems, *, may_keep: bool) -> frozenset[str]:
    names = frozenset(name for name in kind.secrets if is_hidden(given.get(name)))
    if not may_keep:
        for name in sorted(names):
            problems.add(
                name, f"{HIDDEN_SECRET} keeps the secret of a source that is replaced; a new one needs its own"
            )
    return names


def _check_filetypes(cleaned: Mapping[str, Any], problems: Problems) -> None:
    if "filetypes" in cleaned and "filters" in cleaned:
        problems.add("filetypes", "must not be given together with filters; use filters.filetypes")


def _submitted(kind: SourceType, cleaned: Mapping[str, Any], kept: frozenset[str]) -> Submitted:
    own = {entry.name: entry for entry in kind.fields}
    config = {
        name: hidden() if name in kind.secrets else cleaned[name] for name in own if name in cleaned or name in kept
    }
    return Submitted(
        type=kind,
        source_id=cleaned.get(ID.name),
        name=cleaned[NAME.name],
        config=config,
        secrets={name: cleaned[name] for name in sorted(kind.secrets) if name in cleaned},
        kept=kept,
    )
