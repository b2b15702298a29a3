"""The targets, by what they read. The tests and `python -m fuzz` take the same ones."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.target import Target
from fuzz.targets import (
    answers,
    apple,
    archives,
    dumps,
    formats,
    jvm,
    queries,
    reports,
    requests,
    scripts,
    unwinding,
    wire,
)

_ROOMS = (dumps, unwinding, apple, wire, reports, scripts, jvm, formats, archives, answers, requests, queries)
TARGETS: Mapping[str, Target] = {target.name: target for room in _ROOMS for target in room.TARGETS}
