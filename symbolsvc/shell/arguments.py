"""What stands on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NoReturn

from engine.sourcetypes.config import LayoutType

PROGRAM: Final = "manage.py symbolicate"
LONGEST_SECONDS: Final = 24 * 3600.0


class Outcome(IntEnum):
    """The exit status."""

    NAMED = 0
    LACKING = 1
    UNREADABLE = 2
    USAGE = 3


@dataclass(frozen=True, slots=True)
class Options:
    """`timeout` in seconds, None to wait as long as it takes. `layouts` is empty where the address decides."""

    file: str
    sources: tuple[str, ...] = ()
    layouts: tuple[LayoutType, ...] = ()
    project: str | None = None
    as_json: bool = False
    timeout: float | None = None
    fresh: bool = False


class UsageError(Exception):
    """Something on the command line cannot be; the message names it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage().strip()}\n{message}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line to a parser."""
    parser.add_argument("file", metavar="FILE", help="a minidump, an Apple crash report, or a JSON request")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        dest="sources",
        metavar="DIR_OR_URL",
        help="a directory (or file) of debug files, laid out in any way, or the address of a symbol server; repeatable",
    )
    parser.add_argument(
        "--layout",
        action="append",
        default=[],
        dest="layouts",
        choices=[layout.value for layout in LayoutType],
        help="the layout of the symbol servers; repeatable (default: native and symstore; debuginfod where it shows)",
    )
    parser.add_argument("--project", metavar="ORG/PROJECT", help="ask the stored sources of this project too")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the answer as JSON")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up after this long")
    parser.add_argument("--fresh", action="store_true", help="use nothing that was fetched or missed before")


def parse(words: Sequence[str]) -> Options:
    """Raises UsageError; SystemExit for `--help`."""
    parser = _Parser(prog=PROGRAM, description="Symbolicate one crash file.", epilog=_STATUS)
    add_arguments(parser)
    return options_of(parser.parse_args(list(words)))


def options_of(given: argparse.Namespace) -> Options:
    """What a parser with these arguments made of them."""
    return Options(
        file=given.file,
        sources=tuple(given.sources),
        layouts=tuple(LayoutType(name) for name in given.layouts),
        project=given.project,
        as_json=given.as_json,
        timeout=given.timeout,
        fresh=given.fresh,
    )


def complain(text: str) -> None:
    """One line or more for people, besides the result."""
    sys.stderr.write(f"{text}\n")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"write a number above 0 and up to {LONGEST_SECONDS:.0f}")
    return seconds


_STATUS: Final = (
    "Exit status: 0 every frame of the crashed thread has a name, 1 some or all have none, 2 the file cannot be read,"
    " 3 the command line is wrong."
)
