"""A captured crash, and a symbol server's files for it."""

from __future__ import annotations

import gzip
import json
import lzma
from functools import cache
from typing import Any

from symbolic import Archive

from tests.service import ROOT

_CRASHES = ROOT / "tests" / "fixtures" / "crash"
_BUILD = _CRASHES / "builds" / "fp"


@cache
def dump() -> bytes:
    """A crash of a worker thread on Linux."""
    return lzma.decompress((_CRASHES / "segv-worker-fp.dmp.xz").read_bytes())


@cache
def binaries() -> dict[str, bytes]:
    """The application's own modules, with debug information."""
    return {
        "crashy": gzip.decompress((_BUILD / "crashy.gz").read_bytes()),
        "libledger.so": (_BUILD / "libledger.so").read_bytes(),
    }


def served() -> dict[str, bytes]:
    """The modules as a symbol server in the native layout has them."""
    return {_path(content): content for content in binaries().values()}


def expected() -> list[tuple[str, int]]:
    """File and line of the crashed thread's frames in the application, as the debugger tells them."""
    threads = json.loads((_CRASHES / "segv-worker-fp.json").read_text())["threads"]
    crashed = next(thread for thread in threads if thread["crashed"])
    found = [(frame["file"], frame["line"]) for frame in crashed["frames"] if frame["module"] in binaries()]
    assert len(found) >= 5
    return found


def crashed_frames(answer: Any) -> list[dict[str, Any]]:
    (stack,) = [stack for stack in answer["stacktraces"] if stack["is_requesting"]]
    return stack["frames"]  # type: ignore[no-any-return]


def told(answer: Any) -> list[tuple[str, int]]:
    """What the answer says in the same form."""
    frames = [frame for frame in crashed_frames(answer) if frame.get("filename")]
    return [(frame["filename"], frame["lineno"]) for frame in frames]


def _path(content: bytes) -> str:
    (found,) = Archive.from_bytes(content).iter_objects()
    return f"{found.code_id[:2]}/{found.code_id[2:]}"
