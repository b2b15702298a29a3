"""The command, from its words to its exit status."""

from __future__ import annotations

from collections.abc import Sequence

from symbolsvc.shell.arguments import UsageError, complain
from symbolsvc.shell.debugfiles.arguments import Options, Outcome, parse
from symbolsvc.shell.debugfiles.checking import check
from symbolsvc.shell.debugfiles.storing import list_files, upload


def main(words: Sequence[str]) -> Outcome:
    """Run the command; its exit status."""
    try:
        return _run(parse(words))
    except UsageError as error:
        complain(str(error))
        return Outcome.USAGE


def _run(options: Options) -> Outcome:
    if options.action == "check":
        return check(options.files, as_json=options.as_json)
    if options.action == "upload":
        return upload(options.files, options.project, as_json=options.as_json)
    return list_files(options.project, options.query, as_json=options.as_json)
