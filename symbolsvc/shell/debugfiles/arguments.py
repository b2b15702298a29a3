"""What stands on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, NoReturn

from symbolsvc.shell.arguments import UsageError

PROGRAM: Final = "manage.py debugfiles"
Action = Literal["upload", "list", "check"]


class Outcome(IntEnum):
    """The exit status."""

    FINE = 0
    LACKING = 1
    UNREADABLE = 2
    USAGE = 3


@dataclass(frozen=True, slots=True)
class Options:
    """`files` are files and directories; `query` is what a list is searched for."""

    action: Action
    files: tuple[str, ...] = ()
    project: str = ""
    query: str = ""
    as_json: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage().strip()}\n{message}")


def parse(words: Sequence[str]) -> Options:
    """Raises UsageError; SystemExit for `--help`."""
    given = _parser().parse_args(list(words))
    return Options(
        action=given.action,
        files=tuple(getattr(given, "files", ())),
        project=getattr(given, "project", ""),
        query=getattr(given, "query", ""),
        as_json=given.as_json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description="Debug files of a project, and what is in them.", epilog=_STATUS)
    actions = parser.add_subparsers(dest="action", required=True, metavar="upload|list|check", parser_class=_Parser)
    check = actions.add_parser("check", help="say what files are, and what they lack", epilog=_STATUS)
    upload = actions.add_parser("upload", help="upload files to a project", epilog=_STATUS)
    listing = actions.add_parser("list", help="list the files of a project")
    for one in (check, upload):
        one.add_argument("files", nargs="+", metavar="FILE", help="a file, or a directory of them")
    for one in (upload, listing):
        one.add_argument("--project", required=True, metavar="ORG/PROJECT")
    listing.add_argument("--query", default="", help="a part of the name, or a debug id or code id")
    for one in (check, upload, listing):
        one.add_argument("--json", action="store_true", dest="as_json", help="print the result as JSON")
    return parser


_STATUS: Final = (
    "Exit status: 0 all files are of use, 1 some are of none or lack something, 2 a file cannot be read,"
    " 3 the command line is wrong."
)
