"""What this room adds to the pages: its tab, the step of a new project, and how crashes are sent."""

from __future__ import annotations

from collections.abc import Iterator

from crashes.rest.asking import READ
from crashes.searching import any_crash
from projects.pages import Tab, register_tab
from projects.pages.commands import Command, Place, register_commands
from projects.pages.steps import Step, register_step

STEP = "crash"
_SEND = ("error:post",)


def register() -> None:
    """Once per process."""
    register_tab(Tab("Crashes", "crash_pages:groups", READ, 10))
    register_step(
        Step(
            STEP,
            "Send a crash",
            "Crash clients of Backtrace, Crashpad, Breakpad and Electron report here when their address is changed;"
            " programs with Sentry's client when their DSN is.",
            "Crashes",
            40,
            any_crash,
        )
    )
    register_commands(lines)


def lines(place: Place) -> Iterator[Command]:
    """How a crash is sent, by clients and by hand."""
    where = place.submission
    query = place.chosen
    joined = f"{query}&" if query else "?"
    dump = f'curl --data-binary @crash.dmp "{where}/minidump{joined}version=1.0"'
    report = f"curl -F upload_file=@report.json -F version=1.0 {where}/json{query}"
    handler = f'chrome_crashpad_handler --url="{where}/minidump{query}" …'
    for title, text in (("A minidump, by hand", dump), ("A JSON report, by hand", report), ("Crashpad", handler)):
        yield Command(title, text, _SEND, STEP)


def sending(place: Place) -> list[Command]:
    """The same for the page of a project that has no crashes yet."""
    return list(lines(place))
