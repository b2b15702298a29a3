"""The body of a symbolication request, decoded and checked in this one place.

`null` for an optional field counts as absent, unknown fields are ignored. What is valid JSON but no request raises
BadSchema (422), everything else BadJson (400). Error texts name the path of a field, never its value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from engine.decoding import BadJson, BadSchema, decode_body
from engine.native.hexvalues import BadHex, all_canonical, numbers_of_one_length, parse_hex

if TYPE_CHECKING:
    from engine.native.ground import Ground
    from engine.native.outlines import Recognised

__all__ = [
    "BadJson",
    "BadSchema",
    "Frame",
    "Module",
    "Options",
    "Scraping",
    "SymbolicateRequest",
    "Thread",
    "decode_request",
]

Hex = str | int
Trust = Literal["none", "scan", "cfiscan", "fp", "cfi", "prewalked", "context"]
U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
Unsigned = Annotated[int, msgspec.Meta(ge=0)]
_U64_END = 1 << 64
_REL = re.compile(r"\Arel:([0-9]{1,19})\Z")


class Frame(msgspec.Struct, gc=False):
    """A frame as it came. After decoding, `function_id` and `sym_addr` are in the form of the answer."""

    instruction_addr: Hex
    # What is read of every frame lies together.
    addr_mode: str | None = None
    adjust_instruction_addr: bool | None = None
    function_id: Hex | None = None
    sym_addr: Hex | None = None
    platform: str | None = None
    trust: Trust | None = None
    package: str | None = None
    lang: str | None = None
    symbol: str | None = None
    function: str | None = None
    filename: str | None = None
    abs_path: str | None = None
    lineno: U32 | None = None
    pre_context: list[str] | None = None
    context_line: str | None = None
    post_context: list[str] | None = None
    source_link: str | None = None
    in_app: bool | None = None
    vars: dict[str, str] | None = None

    @property
    def module_index(self) -> int | None:
        """The N of addr_mode `rel:N`; None for absolute addresses."""
        match = _REL.match(self.addr_mode) if self.addr_mode else None
        return int(match[1]) if match else None


class Stack(msgspec.Struct):
    """One stack, as it came."""

    frames: list[Frame]
    thread_id: Unsigned | None = None
    thread_name: str | None = None
    is_requesting: bool | None = None
    registers: dict[str, Hex] | None = None


class Module(msgspec.Struct):
    """A module as it came; `image_addr` in whatever form, see SymbolicateRequest.image_addrs."""

    type: str
    code_id: str | None = None
    code_file: str | None = None
    debug_id: str | None = None
    debug_file: str | None = None
    debug_checksum: str | None = None
    image_addr: Hex | None = None
    image_size: Unsigned | None = None


class Options(msgspec.Struct):
    dif_candidates: bool | None = None
    apply_source_context: bool | None = None
    frame_order: Literal["callee_first", "caller_first"] | None = None
    extract_variables: bool | None = None


class Scraping(msgspec.Struct):
    """How source links may be fetched; when the object is given at all, these three are required."""

    enabled: bool
    allowed_origins: list[str]
    headers: dict[str, str]
    verify_ssl: bool | None = None


class Body(msgspec.Struct):
    """The body of a request, as it came."""

    platform: str | None = None
    signal: U32 | None = None
    sources: msgspec.Raw = msgspec.Raw(b"null")
    stacktraces: list[Stack] | None = None
    modules: list[Module] | None = None
    options: Options | None = None
    scraping: Scraping | None = None


class Thread(msgspec.Struct):
    """One stack. `addresses` are the frames' addresses as given: absolute, or relative for addr_mode `rel:N`.

    `registers` are in the form of the answer. `plain` means that no frame says how its address is to be taken, and
    none carries an address besides its own. `known` is what such a stack was recognised by; without `addresses`, these
    follow from it.
    """

    frames: list[Frame]
    addresses: list[int]
    registers: dict[str, str]
    plain: bool
    thread_id: int | None
    thread_name: str | None
    is_requesting: bool | None
    known: Recognised | None = None


class SymbolicateRequest(msgspec.Struct):
    """A request to symbolicate native stacks.

    `sources` is the raw JSON of the field, None when it was absent or null (the configured sources are meant);
    `[]` asks for no source at all. `image_addrs` are the modules' absolute addresses, 0 where none is known. `ground`
    is where the modules lie, where that is known already.
    """

    platform: str | None
    signal: int | None
    sources: msgspec.Raw | None
    stacktraces: list[Thread]
    modules: list[Module]
    image_addrs: list[int]
    options: Options
    scraping: Scraping | None
    ground: Ground | None = None


_DECODER = msgspec.json.Decoder(Body)


def decode_request(body: bytes) -> SymbolicateRequest:
    """Decode the body of POST /symbolicate. Raises BadJson (answer 400) or BadSchema (answer 422)."""
    wire = decode_body(_DECODER, body)
    return made_request(wire, [made_thread(stack, at) for at, stack in enumerate(wire.stacktraces or [])])


def made_request(wire: Body, stacktraces: list[Thread]) -> SymbolicateRequest:
    """The request of a decoded body, with its stacks. Raises BadSchema for what the types do not tell."""
    modules = wire.modules or []
    return SymbolicateRequest(
        wire.platform,
        wire.signal,
        None if bytes(wire.sources) == b"null" else wire.sources,
        stacktraces,
        modules,
        _image_addrs(modules),
        wire.options or Options(),
        wire.scraping,
    )


def made_thread(stack: Stack, at: int, *, canonical: bool = False) -> Thread:
    """A decoded stack; `at` is its index, `canonical` if its registers are surely in the form of the answer.

    Raises BadSchema for what the types do not tell.
    """
    path = f"$.stacktraces[{at}]"
    _check_u64(stack.thread_id, "$.stacktraces[{}].thread_id", at)
    frames = stack.frames
    plain = True
    for index, frame in enumerate(frames):
        if (
            frame.addr_mode is not None
            or frame.adjust_instruction_addr is not None
            or frame.function_id is not None
            or frame.sym_addr is not None
        ):
            plain = False
            _normalize(frame, f"{path}.frames[{index}]")
    return Thread(
        frames,
        _addresses(frames, path),
        _registers(stack.registers, path, canonical=canonical),
        plain,
        stack.thread_id,
        stack.thread_name,
        stack.is_requesting,
    )


def _normalize(frame: Frame, path: str) -> None:
    if frame.addr_mode == "abs":
        frame.addr_mode = None
    elif frame.addr_mode is not None:
        frame.addr_mode = f"rel:{_module_index(frame, path)}"
    if frame.function_id is not None:
        frame.function_id = f"{_hex(frame.function_id, f'{path}.function_id'):#x}"
    if frame.sym_addr is not None:
        frame.sym_addr = f"{_hex(frame.sym_addr, f'{path}.sym_addr'):#x}"


def _module_index(frame: Frame, path: str) -> int:
    index = frame.module_index
    if index is None:
        raise BadSchema(f"{path}.addr_mode: expected `abs` or `rel:` and the index of a module")
    return index


def _addresses(frames: list[Frame], path: str) -> list[int]:
    texts = [frame.instruction_addr for frame in frames]
    numbers = numbers_of_one_length(texts)
    if numbers is not None:
        return list(numbers)
    return [_hex(value, f"{path}.frames[{at}].instruction_addr") for at, value in enumerate(texts)]


def _registers(given: dict[str, Hex] | None, path: str, *, canonical: bool) -> dict[str, str]:
    if not given:
        return {}
    if canonical or all_canonical(list(given.values())):
        return given  # type: ignore[return-value]  # canonical ones are texts
    return {name: f"{_hex(value, f'{path}.registers[...]'):#x}" for name, value in given.items()}


def _image_addrs(modules: list[Module]) -> list[int]:
    for at, module in enumerate(modules):
        _check_u64(module.image_size, "$.modules[{}].image_size", at)
    values = [0 if module.image_addr is None else module.image_addr for module in modules]
    numbers = numbers_of_one_length(values)
    if numbers is not None:
        return list(numbers)
    return [_hex(value, f"$.modules[{at}].image_addr") for at, value in enumerate(values)]


def _check_u64(value: int | None, path: str, at: int) -> None:
    if value is not None and value >= _U64_END:
        raise BadSchema(f"{path.format(at)}: the number is too large")


def _hex(value: Hex, path: str) -> int:
    try:
        return parse_hex(value)
    except BadHex:
        raise BadSchema(f"{path}: expected an address of 64 bits") from None
