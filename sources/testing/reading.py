"""From the body of a test to what is tested: a source with its secrets in clear, and a module to look for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from core.api import ApiError
from core.encryption import EncryptionError
from engine.modules import DebugId, ModuleType, Wanted, parse_code_id
from engine.sourcetypes.config import BadSource, SourceConfig, decode_sources
from sources.fields import ANY_TEXT, Choice, Field, Problems, Text, clean_fields
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from sources.selectors import Place, find_source
from sources.services import check_kept
from sources.types import TYPES, Plain
from sources.types.app_store_connect.access import AppStoreAccess, read_access
from sources.types.app_store_connect.problems import AppStoreFailure
from sources.validation import TYPE_FIELD, read_source

_NO_CONTROLS: Final = "must not hold control characters"
_UNSAVED: Final = "test"
FILE_FIELDS: Final = (
    Field("type", Choice(tuple(ModuleType)), "The kind of module. Absent: any."),
    Field("code_id", Text(128), "Build id, UUID, or time stamp and size, as crash reports have it."),
    Field("code_file", Text(1024, ANY_TEXT, _NO_CONTROLS), "The path of the program or library."),
    Field("debug_id", Text(64), "The id of the debug file."),
    Field("debug_file", Text(1024, ANY_TEXT, _NO_CONTROLS), "The path of the debug file."),
    Field("debug_checksum", Text(256), "What NuGet's server asks for: `SHA256:…`."),
)
_KEYS: Final = frozenset({"source", "file"})


class NotReady(Exception):
    """The source lacks something that it cannot be tested without."""

    def __init__(self, failure: AppStoreFailure) -> None:
        super().__init__(failure.details)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Tested:
    """What lookups ask, or an app that files are imported from. Its repr shows no secret."""

    config: SourceConfig | AppStoreAccess
    wanted: Wanted | None


def read_test(place: Place, body: object, source_id: str | None) -> Tested:
    """Read a body: `{"source": {…}, "file": {…}}` or a bare source. `source_id` names a stored one.

    With it, the source may be left out, and its secrets may be `{"hidden-secret": true}` as in a replacement.
    Raises ApiError and NotReady.
    """
    if type(body) is not dict:
        raise ApiError("the body must be a JSON object")
    wrapped: dict[str, Any] = {"source": body} if TYPE_FIELD in body else body
    unknown = sorted(set(wrapped) - _KEYS)
    if unknown:
        raise ApiError(f"{unknown[0][:64]!a}: is not a field of this request; give source and file")
    stored = find_source(place, source_id) if source_id else None
    given = wrapped.get("source")
    if given is None and stored is None:
        raise ApiError("source: give a source, or name a stored one with ?id=", field="source")
    config = _stored(stored) if given is None and stored else _submitted(given, stored)
    return Tested(config, read_wanted(wrapped.get("file")))


def _stored(row: SymbolSource) -> SourceConfig | AppStoreAccess:
    kind = TYPES.get(row.type)
    if kind is None:
        raise ApiError("its type is not known to this version")
    return _built(row.type, Plain(row.source_id, row.fields, _revealed(row)))


def _submitted(given: object, stored: SymbolSource | None) -> SourceConfig | AppStoreAccess:
    submitted = read_source(given, may_keep=stored is not None)
    known: dict[str, Any] = {}
    if stored is not None and submitted.kept:
        check_kept(stored, submitted)
        known = {name: value for name, value in _revealed(stored).items() if name in submitted.kept}
    plain = Plain(submitted.source_id or _UNSAVED, submitted.config, {**known, **submitted.secrets})
    return _built(submitted.type.name, plain)


def _revealed(row: SymbolSource) -> dict[str, Any]:
    try:
        return reveal_secrets(row)
    except EncryptionError:
        raise ApiError("the stored secret cannot be decrypted: enter it again", code="undecryptable") from None


def _built(type_name: str, plain: Plain) -> SourceConfig | AppStoreAccess:
    kind = TYPES[type_name]
    if kind.engine_config is None:
        return _imported(plain)
    try:
        built = kind.engine_config(plain)
        return decode_sources([msgspec.to_builtins(built)], operator=False)[0]
    except BadSource as error:
        raise ApiError(error.problem) from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ApiError("what is stored for it is damaged: save it again") from None


def _imported(plain: Plain) -> AppStoreAccess:
    try:
        return read_access(plain.config, plain.secrets)
    except AppStoreFailure as failure:
        raise NotReady(failure) from None


def read_wanted(given: object) -> Wanted | None:
    """The module that a body's `file` names, None without one. Raises ApiError."""
    if given is None:
        return None
    if type(given) is not dict:
        raise ApiError("file: must be an object", field="file")
    problems = Problems()
    fields = clean_fields(FILE_FIELDS, given, "file", problems)
    if problems:
        raise ApiError(str(problems), field=problems.found[0][0])
    debug_id = DebugId.parse(fields["debug_id"]) if "debug_id" in fields else None
    if "debug_id" in fields and debug_id is None:
        raise ApiError("file.debug_id: is not a debug id", field="file.debug_id")
    code_id = parse_code_id(fields.get("code_id", ""))
    if debug_id is None and code_id is None:
        raise ApiError("file: give a debug_id or a code_id", field="file")
    return Wanted(
        ModuleType.parse(fields.get("type", "")),
        code_id,
        fields.get("code_file"),
        debug_id,
        fields.get("debug_file"),
        fields.get("debug_checksum"),
    )
