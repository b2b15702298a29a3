"""What a request for symbolication says, as the API's description shows it.

The engine decodes requests with structs of its own that are made for speed; a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Address = Annotated[
    str | int,
    Meta(description="An address: `0x…` in hexadecimal, a decimal text, or a number.", examples=["0x7f6bde3a022e"]),
]
Hex = Annotated[str, Meta(description="`0x` and lower-case hexadecimal digits.", pattern=r"^0x[0-9a-f]+$")]
Text = str | None
FrameTrust = Literal["none", "scan", "cfiscan", "fp", "cfi", "prewalked", "context"]
Unsigned32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Unsigned = Annotated[int, Meta(ge=0)]


class NativeModule(msgspec.Struct):
    """A module (executable or library) that was loaded in the process."""

    type: Annotated[str, Meta(description="elf, macho, pe, pe_dotnet or wasm; anything else is an unknown type.")]
    code_id: Text = None
    code_file: Text = None
    debug_id: Text = None
    debug_file: Text = None
    debug_checksum: Text = None
    image_addr: Address | None = None
    image_size: Annotated[Unsigned | None, Meta(description="Bytes; when absent, the distance to the next module.")] = (
        None
    )


class NativeFrame(msgspec.Struct):
    """A frame to symbolicate. What it says beyond the address is kept where symbolication has nothing better."""

    instruction_addr: Address
    platform: Text = None
    addr_mode: Annotated[Text, Meta(description="`abs`, or `rel:N` for an offset into module N.")] = None
    adjust_instruction_addr: bool | None = None
    function_id: Address | None = None
    package: Text = None
    lang: Text = None
    symbol: Text = None
    sym_addr: Address | None = None
    function: Text = None
    filename: Text = None
    abs_path: Text = None
    lineno: Unsigned32 | None = None
    pre_context: list[str] | None = None
    context_line: Text = None
    post_context: list[str] | None = None
    source_link: Text = None
    in_app: bool | None = None
    vars: dict[str, str] | None = None
    trust: FrameTrust | None = None


class NativeStack(msgspec.Struct):
    """The stack of one thread, the crashing frame first unless `frame_order` says otherwise."""

    frames: list[NativeFrame]
    thread_id: Unsigned | None = None
    thread_name: Text = None
    is_requesting: bool | None = None
    registers: dict[str, Address] | None = None


class SymbolicationOptions(msgspec.Struct):
    """`dif_candidates` asks for the record of every file that was looked for."""

    dif_candidates: bool | None = None
    apply_source_context: bool | None = None
    frame_order: Literal["callee_first", "caller_first"] | None = None
    extract_variables: bool | None = None


class ScrapingOptions(msgspec.Struct):
    """How linked sources may be fetched."""

    enabled: bool
    allowed_origins: list[str]
    headers: dict[str, str]
    verify_ssl: bool | None = None


class ProjectSymbolication(msgspec.Struct):
    """Stacks of a native program and the modules they lie in."""

    platform: Text = None
    signal: Unsigned32 | None = None
    stacktraces: list[NativeStack] | None = None
    modules: list[NativeModule] | None = None
    options: SymbolicationOptions | None = None
    scraping: ScrapingOptions | None = None


class Symbolication(ProjectSymbolication):
    """Stacks of a native program, the modules they lie in, and where to look for debug files."""

    sources: Annotated[
        list[dict[str, Any]] | None,
        Meta(description="Symbol sources in Symbolicator's format. Absent or null: the configured ones. `[]`: none."),
    ] = None
