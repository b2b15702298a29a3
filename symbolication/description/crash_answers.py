"""The answer of `/minidump`, `/applecrashreport` and `/symbolicate-any`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from drf_spectacular.utils import OpenApiExample
from msgspec import UNSET, Meta, UnsetType

from symbolication.description.answers import (
    NOT_COMPLETED,
    Alternatives,
    Features,
    Some,
    SymbolicatedModule,
    SymbolicatedStack,
)
from symbolication.description.common import answers


class SystemInfo(msgspec.Struct):
    """The system of the crash; empty where it is not known."""

    os_name: str
    os_version: str
    os_build: str
    cpu_arch: str
    device_model: str


class ThreadDiagnosis(msgspec.Struct):
    """On the project's endpoint: from which frame on a stack is guessed, or after which it ends too early, and which
    module's file would mend it.
    """

    text: str
    guessed_from: int | UnsetType = UNSET
    cut_after: int | UnsetType = UNSET
    module: int | None | UnsetType = UNSET
    file: str | None | UnsetType = UNSET


class CrashedStack(SymbolicatedStack):
    """The stack of one thread, with the registers of its first frame."""

    diagnosis: ThreadDiagnosis | UnsetType = UNSET


class CrashedModule(SymbolicatedModule):
    """A module; `unwind_status` is that of minidumps."""

    unwind_status: Some = UNSET


class CrashFileCompleted(msgspec.Struct):
    """What is known of the crash, the stacks of all threads, and what was found for each module."""

    status: Literal["completed"]
    stacktraces: list[CrashedStack]
    modules: list[CrashedModule]
    timestamp: Annotated[int | UnsetType, Meta(description="Seconds since 1970.")] = UNSET
    system_info: SystemInfo | UnsetType = UNSET
    crashed: bool | UnsetType = UNSET
    crash_reason: Some = UNSET
    crash_details: Some = UNSET
    assertion: Some = UNSET
    dump: (
        Annotated[
            dict[str, Any],
            Meta(description="On the project's endpoint: what else a minidump says, such as its annotations."),
        ]
        | UnsetType
    ) = UNSET


class CrashFileAnswer(Alternatives):
    """What became of a request; `status` says which it is."""

    alternatives = (CrashFileCompleted, *NOT_COMPLETED)


_FEATURES: Final = msgspec.to_builtins(Features(True, False, True, False))
_FRAME: Final[dict[str, Any]] = {
    "status": "symbolicated",
    "original_index": 0,
    "instruction_addr": "0x7f6bde3a022e",
    "package": "/srv/crashy/libledger.so",
    "lang": "cpp",
    "symbol": "inl_touch",
    "function": "inl_touch",
    "filename": "ledger.cpp",
    "abs_path": "/srv/crashy/ledger.cpp",
    "lineno": 15,
    "trust": "context",
}
CRASH_FILE_ANSWER: Final = answers(
    CrashFileAnswer,
    OpenApiExample(
        "Walked and symbolicated",
        {
            "status": "completed",
            "timestamp": 1795255200,
            "system_info": {
                "os_name": "Linux",
                "os_version": "6.1.0-13-amd64",
                "os_build": "#1 SMP Debian 6.1.55-1",
                "cpu_arch": "x86_64",
                "device_model": "",
            },
            "crashed": True,
            "crash_reason": "SIGSEGV / SEGV_MAPERR / 0x10",
            "assertion": "",
            "stacktraces": [
                {
                    "thread_id": 4711,
                    "thread_name": "crasher",
                    "is_requesting": True,
                    "registers": {"rip": "0x7f6bde3a022e", "rsp": "0x7f6bdd7fe0c0"},
                    "frames": [_FRAME],
                }
            ],
            "modules": [
                {
                    "debug_status": "found",
                    "unwind_status": "found",
                    "features": _FEATURES,
                    "arch": "x86_64",
                    "type": "elf",
                    "code_id": "3988be7f44385cce25e399210deb9a5f57be012e",
                    "code_file": "/srv/crashy/libledger.so",
                    "image_addr": "0x7f6bde39f000",
                    "image_size": 20480,
                }
            ],
        },
        response_only=True,
    ),
)
