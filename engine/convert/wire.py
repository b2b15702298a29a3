"""What client and converter say to each other: one line of JSON each way, over a Unix socket."""

from __future__ import annotations

import msgspec

from engine.errors import FailureKind

LINE_LIMIT = 1 << 20


class ObjectFacts(msgspec.Struct, frozen=True):
    """What one object of a file says of itself. `index` is its place in the file.

    `features` are among debug, symtab, unwind and sources; ids are in symbolic's canonical form. `unwind_checksum` is
    the CRC-32 of unwind tables that can be used where they lie in the file, None where rules have to be converted.
    """

    index: int
    arch: str
    debug_id: str
    code_id: str | None
    file_format: str
    kind: str
    features: tuple[str, ...]
    unwind_checksum: int | None = None


class Inspect(msgspec.Struct, frozen=True, tag="inspect", omit_defaults=True):
    """List the objects of a file.

    Where a single object has debug information, its symcache is written into the existing file `symcache`, if given.
    """

    path: str
    symcache: str = ""


class MakeSymcache(msgspec.Struct, frozen=True, tag="symcache"):
    """Write the symcache of one object into an existing file."""

    path: str
    index: int
    out: str


class CheckSourceMap(msgspec.Struct, frozen=True, tag="sourcemap"):
    """Build the lookup table of a source map and its minified source, and throw it away: it can be built safely.

    `memory_bytes` is what building may take.
    """

    path: str
    source: str
    memory_bytes: int


class MakeCfi(msgspec.Struct, frozen=True, tag="cfi"):
    """Write the unwind rules of one object, with their index, into an existing file."""

    path: str
    index: int
    out: str


class Inspected(msgspec.Struct, frozen=True, tag="inspected"):
    """`objects` are those that can be read out of the `total` that the file holds; `symcache`: one was written."""

    objects: tuple[ObjectFacts, ...]
    total: int
    symcache: bool = False


class Converted(msgspec.Struct, frozen=True, tag="converted"):
    pass


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The job failed on account of its file; `reason` is for logs and pages, not for the wire."""

    kind: FailureKind
    reason: str


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The converter could not work, which says nothing about the file."""

    reason: str


Request = Inspect | MakeSymcache | MakeCfi | CheckSourceMap
Reply = Inspected | Converted | Failed | Broken

_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def decode_request(line: bytes) -> Request:
    """Raises msgspec.DecodeError."""
    return _requests.decode(line)


def decode_reply(line: bytes) -> Reply:
    """Raises msgspec.DecodeError."""
    return _replies.decode(line)


def encode(message: Request | Reply) -> bytes:
    return msgspec.json.encode(message) + b"\n"
