"""What clients of the upload protocol send and read. Their decoders are strict: each struct has what is demanded."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from debugfiles.bodies import DebugFileView

Sha1 = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]


class CapabilitiesView(msgspec.Struct, rename="camel"):
    """What the server takes. Clients demand every one of these keys, and a chunk size that is a power of two."""

    url: str
    chunk_size: int
    chunks_per_request: int
    max_file_size: int
    max_request_size: int
    concurrency: int
    hash_algorithm: str
    compression: list[str]
    accept: list[str]


class DebugFileRequest(msgspec.Struct):
    """A debug file to assemble. Without chunks it is asked how far it has come. Other fields are not read."""

    name: str
    chunks: list[Sha1]
    debug_id: str | None = None


class BundleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """An artifact bundle to assemble for projects (ids or slugs) of the organization."""

    checksum: Sha1
    chunks: list[Sha1]
    projects: Annotated[list[str | int], Meta(min_length=1, max_length=1000)]
    version: str | None = None
    dist: str | None = None


class AssemblyView(msgspec.Struct, rename="camel"):
    """How far the assembly of a file has come.

    `state` is `not_found` (upload `missingChunks`), `assembling` (ask again), `ok` or `error` (`detail` says why).
    """

    state: str
    missing_chunks: list[str]
    detail: str | None = None


class DebugFileAssemblyView(AssemblyView, rename="camel"):
    """The same of a debug file; `dif` is what became of it."""

    dif: DebugFileView | msgspec.UnsetType = msgspec.UNSET


class UnknownChecksums(msgspec.Struct):
    """Those of the checksums that no debug file of the project has."""

    missing: list[str]


DebugFileRequests = dict[Sha1, DebugFileRequest]

_SHA1: Final = {"type": "string", "pattern": "^[0-9a-f]{40}$"}
# Keys are checksums of files, so these two are described here and not made from a struct.
DEBUG_FILES_REQUEST: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Files by the SHA-1 of their content.",
    "propertyNames": _SHA1,
    "additionalProperties": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "debug_id": {"type": ["string", "null"]},
            "chunks": {"type": "array", "items": _SHA1},
        },
        "required": ["name", "chunks"],
    },
}
DEBUG_FILES_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The state of every file that was asked for, by its checksum.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "state": {"type": "string", "enum": ["not_found", "assembling", "ok", "error"]},
            "missingChunks": {"type": "array", "items": _SHA1},
            "detail": {"type": ["string", "null"]},
            "dif": {"type": "object", "description": "The debug file, where the state is `ok`."},
        },
        "required": ["state", "missingChunks"],
    },
}
