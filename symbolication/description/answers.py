"""What the answer of a symbolication says, as the API's description shows it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from symbolication.description.bodies import FrameTrust, Hex
from symbolication.diagnosing import ModuleDiagnosis

Some = str | UnsetType


class Features(msgspec.Struct):
    """What a file offers."""

    has_debug_info: bool
    has_unwind_info: bool
    has_symbols: bool
    has_sources: bool
    srcsrv_vcs: Literal["git", "perforce", "other"] | UnsetType = UNSET


class CandidateDownload(msgspec.Struct):
    """Whether the file could be had."""

    status: Literal["ok", "notfound", "noperm", "malformed", "error"]
    features: Features | UnsetType = UNSET
    details: Some = UNSET


class CandidateUse(msgspec.Struct):
    """Whether the file could be used."""

    status: Literal["ok", "malformed", "error"]
    details: Some = UNSET


class FileCandidate(msgspec.Struct):
    """One file that was looked for: on which source, where, and what came of it."""

    source: str
    location: str
    download: CandidateDownload
    unwind: CandidateUse | UnsetType = UNSET
    debug: CandidateUse | UnsetType = UNSET


class SymbolicatedModule(msgspec.Struct):
    """A module and what became of the search for its debug file."""

    debug_status: Literal[
        "unused", "found", "missing", "fetching_failed", "timeout", "malformed", "unsupported", "other"
    ]
    features: Features
    arch: str
    type: str
    image_addr: Hex
    code_id: Some = UNSET
    code_file: Some = UNSET
    debug_id: Some = UNSET
    debug_file: Some = UNSET
    debug_checksum: Some = UNSET
    image_size: int | UnsetType = UNSET
    candidates: list[FileCandidate] | UnsetType = UNSET
    diagnosis: (
        Annotated[
            ModuleDiagnosis,
            Meta(
                description="On the project's endpoint: for modules that were used and not found, or found in a file of"
                " another build; with `dif_candidates` for all that were used."
            ),
        ]
        | UnsetType
    ) = UNSET


class SymbolicatedFrame(msgspec.Struct):
    """A frame of the answer. Inlined functions give several with one `original_index`, the innermost first."""

    status: Literal["symbolicated", "unknown_image", "missing", "malformed", "missing_symbol"]
    original_index: int
    instruction_addr: Hex
    platform: Some = UNSET
    addr_mode: Some = UNSET
    adjust_instruction_addr: bool | UnsetType = UNSET
    function_id: Hex | UnsetType = UNSET
    package: Some = UNSET
    lang: Some = UNSET
    symbol: Some = UNSET
    sym_addr: Hex | UnsetType = UNSET
    function: Some = UNSET
    filename: Some = UNSET
    abs_path: Some = UNSET
    lineno: int | UnsetType = UNSET
    pre_context: list[str] | UnsetType = UNSET
    context_line: Some = UNSET
    post_context: list[str] | UnsetType = UNSET
    source_link: Some = UNSET
    in_app: bool | UnsetType = UNSET
    vars: dict[str, str] | UnsetType = UNSET
    trust: FrameTrust | UnsetType = UNSET


class SymbolicatedStack(msgspec.Struct):
    """The stack of one thread."""

    frames: list[SymbolicatedFrame]
    thread_id: int | UnsetType = UNSET
    thread_name: Some = UNSET
    is_requesting: bool | UnsetType = UNSET
    registers: dict[str, Hex] | UnsetType = UNSET


class SymbolicationCompleted(msgspec.Struct):
    """The stacks with names, and what was found for each module."""

    status: Literal["completed"]
    stacktraces: list[SymbolicatedStack]
    modules: list[SymbolicatedModule]
    signal: int | UnsetType = UNSET


class SymbolicationPending(msgspec.Struct):
    """Not ready yet: ask again for `request_id` in `retry_after` seconds."""

    status: Literal["pending"]
    request_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    retry_after: int


class SymbolicationFailed(msgspec.Struct):
    """The input cannot be symbolicated."""

    status: Literal["failed"]
    message: str


class SymbolicationTimeout(msgspec.Struct):
    """It took longer than 15 minutes."""

    status: Literal["timeout"]


class SymbolicationInternalError(msgspec.Struct):
    """It broke off; sending the request again may help."""

    status: Literal["internal_error"]


class Alternatives:
    """The base of answers that are one of several structs; `status` says which it is."""

    alternatives: ClassVar[tuple[type[msgspec.Struct], ...]]


NOT_COMPLETED: Final = (
    SymbolicationPending,
    SymbolicationFailed,
    SymbolicationTimeout,
    SymbolicationInternalError,
)


class SymbolicationAnswer(Alternatives):
    """What became of a request; `status` says which it is."""

    alternatives = (SymbolicationCompleted, *NOT_COMPLETED)
