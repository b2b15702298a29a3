"""How debuggers and other symbolicators are told to take a project's files from here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from projects.pages.commands import Command, Place

_READ: Final = ("symbols:read",)
_SOURCE: Final = ("project:read", "symbols:read")


def lines(place: Place) -> Iterator[Command]:
    """The address with the token in it, since debuggers can be given nothing else."""
    server = f"{place.base}/symbols/{place.organization.slug}/{place.slug}/t/{place.token}/"
    yield Command("WinDbg", f".sympath+ srv*C:\\symbols*{server}\n.reload", _READ)
    yield Command("gdb, lldb and llvm-symbolizer", f'export DEBUGINFOD_URLS="{server}"', _READ)
    source = {
        "type": "sentry",
        "id": f"symbolsvc:{place.organization.slug}/{place.slug}",
        "token": place.token,
        "url": f"{place.base}/api/0/projects/{place.organization.slug}/{place.slug}/files/dsyms/",
    }
    yield Command("Symbolicator, among the sources of a request", json.dumps(source, indent=2), _SOURCE)
