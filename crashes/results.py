"""What processing makes of a crash, whatever format it came in: one form for grouping, API and pages.

Fields of frames and modules have the names that the engine's answers give them. Frames stand innermost first.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from backports import zstd
from django.db.models import Q

from crashes.models import Crash, CrashResult

VERSION: Final = 1
_LEVEL: Final = 3
_MOST_BYTES: Final = 256 << 20


class Frame(msgspec.Struct, omit_defaults=True, gc=False):
    """A frame. Addresses are text in hex, absolute unless `addr_mode` names a module.

    `status` is the engine's for native frames, `symbolicated` where the client sent the name, and one of JavaScript's
    or JVM's problems where there is one. `inline`: the function was inlined into the frame that follows. `diagnosis` is
    the frame's own; those of native frames stand with their module.
    """

    status: str = "symbolicated"
    function: str | None = None
    symbol: str | None = None
    module: str | None = None
    filename: str | None = None
    abs_path: str | None = None
    lineno: int | None = None
    colno: int | None = None
    lang: str | None = None
    package: str | None = None
    instruction_addr: str | None = None
    addr_mode: str | None = None
    sym_addr: str | None = None
    trust: str | None = None
    inline: bool = False
    in_app: bool | None = None
    pre_context: list[str] = []
    context_line: str | None = None
    post_context: list[str] = []
    source_link: str | None = None
    # As the client sent it, where the name is another now.
    raw_function: str | None = None
    diagnosis: dict[str, Any] | None = None

    @property
    def is_named(self) -> bool:
        return bool(self.function)


class Thread(msgspec.Struct, omit_defaults=True):
    """A stack. `diagnosis` says from which frame on it is guessed and what would mend that."""

    frames: list[Frame]
    id: str = ""
    name: str = ""
    crashed: bool = False
    registers: dict[str, str] = {}
    diagnosis: dict[str, Any] | None = None


class Module(msgspec.Struct, omit_defaults=True):
    """A module as the engine answers it, with the diagnosis of what it lacks."""

    type: str = "unknown"
    code_id: str | None = None
    code_file: str | None = None
    debug_id: str | None = None
    debug_file: str | None = None
    image_addr: str | None = None
    image_size: int | None = None
    arch: str | None = None
    debug_status: str | None = None
    unwind_status: str | None = None
    diagnosis: dict[str, Any] | None = None


class Failure(msgspec.Struct, omit_defaults=True):
    """An exception, or the signal: outermost first where one caused another. `stack` is the index of its thread."""

    type: str = ""
    value: str = ""
    module: str = ""
    stack: int | None = None


class System(msgspec.Struct, omit_defaults=True):
    os_name: str = ""
    os_version: str = ""
    os_build: str = ""
    cpu_arch: str = ""
    device_model: str = ""


class Result(msgspec.Struct, omit_defaults=True):
    """What a crash is.

    `platform`: native, javascript, jvm, or the language that the client named. `reason` is the crash's in words,
    `crash_details` and `assertion` what the dump says besides. `annotations` are what the client sent of any shape,
    scrubbed. `problems` are what went wrong in processing, one sentence each.
    """

    platform: str = ""
    version: int = VERSION
    reason: str | None = None
    crash_details: str | None = None
    assertion: str | None = None
    # Seconds since the epoch.
    timestamp: float | None = None
    system: System = msgspec.field(default_factory=System)
    failures: list[Failure] = []
    threads: list[Thread] = []
    modules: list[Module] = []
    annotations: dict[str, Any] = {}
    problems: list[str] = []

    @property
    def crashed_thread(self) -> Thread | None:
        """The thread that crashed; the first one where none is known to have."""
        crashed = (thread for thread in self.threads if thread.crashed)
        return next(crashed, self.threads[0] if self.threads else None)


_decoder: Final = msgspec.json.Decoder(Result)


def packed(result: Result) -> bytes:
    """As it is stored."""
    return zstd.compress(msgspec.json.encode(result), _LEVEL)


def unpacked(body: bytes | memoryview) -> Result:
    """Raises msgspec.DecodeError and zstd.ZstdError for what was not made by `packed`."""
    return _decoder.decode(result_json(body))


def result_json(body: bytes | memoryview) -> bytes:
    """The stored result as JSON."""
    decompressor = zstd.ZstdDecompressor()
    return decompressor.decompress(bytes(body), _MOST_BYTES)


def stored_result(crash: Crash) -> Result | None:
    """The last result of a crash; None before there is one."""
    body = CrashResult.objects.filter(Q(crash=crash)).values_list("body", flat=True).first()
    return None if body is None else unpacked(body)
