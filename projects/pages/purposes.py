"""What tokens are made for, and the scopes of each purpose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from projects.scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Purpose:
    """`name` is what stands in the address of the form."""

    name: str
    title: str
    text: str
    scopes: Collection[str]


PURPOSES: Final = (
    Purpose(
        "crash-client",
        "Crash client",
        "Part of a program that is shipped: submits crashes, and sees nothing.",
        ("error:post",),
    ),
    Purpose(
        "build",
        "Build and CI",
        "Uploads debug files and source maps, with sentry-cli, its plugins, or curl.",
        ("org:ci", "project:releases", "org:read", "project:read", "symbol:post"),
    ),
    Purpose(
        "debugger",
        "Debugger or Symbolicator",
        "Reads debug files: WinDbg, Visual Studio, lldb, gdb, or a Symbolicator that uses this project as a source.",
        ("project:read", "symbols:read"),
    ),
    Purpose(
        "symbolicate",
        "Symbolicate",
        "Sends stacks and dumps to have them symbolicated; nothing of them is kept.",
        ("project:read", "symbolicate:post"),
    ),
    Purpose(
        "reader",
        "Reader",
        "Reads projects and crashes, for dashboards and scripts. No raw dumps.",
        ("org:read", "project:read", "event:read", "object:get", "query:post"),
    ),
    Purpose("everything", "Everything", "All that you may do yourself. For administration by script.", tuple(SCOPES)),
)


def purpose_named(name: str) -> Purpose | None:
    """The purpose with this name."""
    return next((purpose for purpose in PURPOSES if purpose.name == name), None)
