"""The workload of the benches: a request of 20 threads with 40 frames each over 30 modules, and the modules' files.

`workload.tar.xz` holds `request.json`, 30 shared libraries and their program, made by a generator for this purpose.
"""

from __future__ import annotations

import json
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

ARCHIVE = Path(__file__).parent / "workload.tar.xz"


@cache
def members() -> dict[str, bytes]:
    """What the archive holds, by name."""
    with tarfile.open(ARCHIVE) as archive:
        return {item.name: archive.extractfile(item).read() for item in archive if item.isfile()}  # type: ignore[union-attr]


def request() -> dict[str, Any]:
    """The request, without sources."""
    body: dict[str, Any] = json.loads(members()["request.json"])
    body.pop("sources", None)
    return body


def symbol_files() -> dict[str, bytes]:
    """The modules' files by their path on a symbol server of the native layout."""
    files = {}
    for module in request()["modules"]:
        name, code_id = Path(module["code_file"]).name, module["code_id"]
        if name in members():
            files[f"{code_id[:2]}/{code_id[2:]}"] = members()[name]
    return files
