"""The line on the terminal."""

from __future__ import annotations

import io

from symbolsvc.shell.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_it_writes_over_its_own_line_and_leaves_none():
    output = Terminal()
    progress = Progress(output)
    progress.began("ab/cd")
    progress.ended()
    progress.clear()
    shown = output.getvalue()
    assert "fetching: 0 files done, 1 under way, ab/cd" in shown
    assert "fetching: 1 files done, 0 under way" in shown
    assert "\n" not in shown
    assert shown.endswith("\r\033[K")


def test_it_says_nothing_where_there_is_no_terminal():
    output = io.StringIO()
    progress = Progress(output)
    progress.began("x")
    progress.tell("y")
    progress.clear()
    assert output.getvalue() == ""
