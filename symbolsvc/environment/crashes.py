"""Crash reports: what is taken in, and for how long it is kept."""

from __future__ import annotations

from typing import Final

from symbolsvc.environment.kinds import Setting, limit

CRASHES: Final[tuple[Setting, ...]] = (
    Setting(
        "CRASH_KEEP_DAYS",
        "90",
        limit,
        "Crashes are deleted so many days after they were received. `unlimited` to keep them for ever. A project can"
        " have its own rule, for this and for the four that follow.",
    ),
    Setting("CRASH_MOST_CRASHES", "", limit, "How many crashes a project keeps; the oldest go. Empty: no limit."),
    Setting(
        "CRASH_MOST_BYTES",
        "",
        limit,
        "What a project's crashes may take together, with attachments and results; the oldest go. Empty: no limit.",
    ),
    Setting(
        "CRASHES_PER_MINUTE", "6000", limit, "Crash reports a minute that a project takes; one more is answered 429."
    ),
    Setting(
        "CRASHES_PER_MINUTE_BY_TOKEN",
        "",
        limit,
        "Crash reports a minute that are taken from one token or key, so that one client cannot use up what its project"
        " may send. Empty: no limit of its own.",
    ),
    Setting(
        "CRASH_REPORT_MAX_BYTES",
        str(250 * 1024 * 1024),
        limit,
        "The largest crash report, with what comes beside it.",
    ),
)
