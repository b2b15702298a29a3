"""Crashes with results of one's own making, without processing."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crashes.models import Attachment, Crash, CrashResult
from crashes.results import Failure, Frame, Module, Result, Thread, packed
from debugfiles.records.services import new_rxid
from projects.models import Project

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 }}"
_numbers = itertools.count(1)


def make_crash(project: Project, result: Result | None = None, **values: Any) -> Crash:
    """A crash that is done, with a result if there is one."""
    number = next(_numbers)
    known = {
        "project": project,
        "rxid": new_rxid(),
        "format": "minidump",
        "door": "backtrace",
        "blob_key": f"crashes/page-tests-{number}",
        "size": 1000,
        "sha256": f"{number:064x}",
        "stored_bytes": 1000,
        "state": Crash.State.DONE,
        "processed_at": timezone.now(),
        "received_at": timezone.now() - timedelta(seconds=1),
        "title": "SIGSEGV",
        "frame_count": 3,
    }
    crash = Crash.objects.create(**(known | values))
    if result is not None:
        CrashResult.objects.create(crash=crash, body=packed(result))
    return crash


def make_attachment(crash: Crash, name: str = "log.txt") -> Attachment:
    return Attachment.objects.create(
        crash=crash, name=name, filename=name, blob_key=f"{crash.blob_key}-{name[:5]}", size=5, sha256="0" * 64
    )


DIAGNOSIS = {
    "verdict": "not_found",
    "cause": "No source has libledger.so.",
    "remedy": "Upload libledger.so.debug.",
    "sources": [
        {
            "id": "our-server",
            "name": "Our server",
            "tries": [
                {
                    "path": "li/libledger.so",
                    "status": "notfound",
                    "fetched_at": "2026-11-21T10:00:00Z",
                    "expires_at": None,
                    "next_try_at": "2026-11-21T11:00:00Z",
                }
            ],
        },
        {"id": "other", "name": "Other", "tries": [], "note": "Left out: disabled."},
    ],
}


def native_result(**changes: Any) -> Result:
    """Two threads of a native program: the second crashed, in a module without names."""
    known: dict[str, Any] = {
        "platform": "native",
        "reason": "SIGSEGV / SEGV_MAPERR / 0x10",
        "failures": [Failure("SIGSEGV", "SEGV_MAPERR / 0x10")],
        "threads": [
            Thread([Frame(function="poll", package="/lib/libc.so.6", in_app=False, trust="context")], "1", "main"),
            Thread(
                [
                    Frame(status="missing", package="/app/libledger.so", instruction_addr="0x1100", trust="context"),
                    Frame(function="inner", package="/app/crashy", inline=True, filename="crashy.cpp", lineno=7),
                    Frame(
                        function="worker",
                        package="/app/crashy",
                        instruction_addr="0x2100",
                        filename="crashy.cpp",
                        abs_path="/src/crashy.cpp",
                        lineno=12,
                        pre_context=["{"],
                        context_line="  crash();",
                        post_context=["}"],
                        trust="scan",
                    ),
                ],
                "7",
                "crasher",
                crashed=True,
                registers={"rip": "0x1100"},
                diagnosis={"guessed_from": 2, "text": "From frame 2 on this stack is guessed."},
            ),
        ],
        "modules": [
            Module("elf", code_file="/app/crashy", image_addr="0x2000", image_size=4096, debug_status="found"),
            Module(
                "elf",
                code_file="/app/libledger.so",
                debug_id="7fbe8839-3844-ce5c-25e3-99210deb9a5f",
                image_addr="0x1000",
                image_size=4096,
                debug_status="missing",
                diagnosis=DIAGNOSIS,
            ),
        ],
    }
    return Result(**(known | changes))
