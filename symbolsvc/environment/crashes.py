"""Crash reports: what is taken in, and for how long it is kept."""

from __future__ import annotations

import os
from typing import Final

from symbolsvc.environment.kinds import Setting, limit, positive


def _workers(text: str) -> int:
    if not text.strip():
        return len(os.sched_getaffinity(0)) + 1
    number = int(text)
    if number < 0:
        raise ValueError("write a number, or 0 for none")
    return number


def _lease(text: str) -> int:
    number = int(text)
    if not 5 <= number <= 600:
        raise ValueError("write a number from 5 to 600")
    return number


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
    Setting(
        "CRASH_WORKERS",
        "",
        _workers,
        "Processes of this host that process crashes, each one at a time. Empty: one per core, and one more, since a"
        " project takes at most all but one (CRASHES_AT_ONCE). 0: this host processes none.",
    ),
    Setting(
        "CRASHES_AT_ONCE",
        "",
        limit,
        "How many crashes of one project are processed at once at most. Empty: one fewer than the whole installation"
        " has processes for.",
    ),
    Setting(
        "CRASH_TRIES",
        "5",
        positive,
        "A crash whose processing failed so many times, or killed its worker process, is set aside. The pauses between"
        " tries grow from 10 seconds to an hour.",
    ),
    Setting(
        "CRASH_TRY_SECONDS", "300", positive, "What one try to process a crash may take, downloads of symbols included."
    ),
    Setting(
        "CRASH_LEASE_SECONDS",
        "30",
        _lease,
        "A worker process that said nothing for so long has lost its crash: another one takes it. 5 to 600.",
    ),
)
