"""A project with many varied crashes, made up: for looking at lists, and for tests of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from django.utils import timezone

from crashes.grouping.deciding import set_state
from crashes.models import Crash, Group
from crashes.results import Failure, Frame, Result, Thread
from projects.access import SYSTEM
from projects.models import Project
from tests.crashes.grouping.making import make_crash, processed

_PLACES: Final = ("ledger", "render", "net::http", "store::cache", "audio", "ui::widgets")
_VERBS: Final = ("post", "flush", "decode_frame", "resolve<int>", "drop_everything_that_is_left_over", "poll")
_SIGNALS: Final = ("SIGSEGV", "SIGABRT", "EXCEPTION_ACCESS_VIOLATION_READ", "EXC_BAD_ACCESS")
_SYSTEMS: Final = (("Linux", "x86_64"), ("Windows", "x86_64"), ("macOS", "arm64"), ("Android", "arm64"))


def make_many(project: Project, groups: int = 36, seed: int = 7) -> list[Crash]:
    """Crashes of `groups` faults over a month: native ones and scripts, some without names, resolved, ignored."""
    luck = Random(seed)  # noqa: S311 - made up, and always the same
    now = timezone.now()
    made = [crash for number in range(groups) for crash in _fault(project, number, luck, now)]
    for number, group in enumerate(Group.objects.filter(project=project).order_by("id")):
        if number % 9 == 4:
            set_state(group=group, state=Group.State.RESOLVED, actor=SYSTEM)
        elif number % 11 == 5:
            set_state(group=group, state=Group.State.IGNORED, actor=SYSTEM)
    for number in range(3):
        made.append(make_crash(project, state=Crash.State.SET_ASIDE, problem="NotADump: the header is cut", attempts=5))
        made.append(make_crash(project, state=Crash.State.PENDING, received_at=now - timedelta(minutes=number)))
    return made


def _fault(project: Project, number: int, luck: Random, now: datetime) -> list[Crash]:
    result, unnamed = (_script(number), 0) if number % 6 == 5 else (_native(number), 2 if number % 4 == 1 else 0)
    platform = result.platform
    made = []
    for _ in range(1 + int(luck.paretovariate(0.8)) % 25):
        system, arch = luck.choice(_SYSTEMS)
        values: dict[str, Any] = {
            "received_at": now - timedelta(days=luck.betavariate(1, 3) * 28, minutes=number),
            "attributes": {"hostname": f"web{luck.randrange(5)}", "release channel": "beta"},
            "frame_count": 6,
            "unnamed_count": unnamed,
            "os_name": system,
            "arch": arch,
        }
        crash = make_crash(project, **values)
        processed(crash, result, f"{1 + number % 3}.{luck.randrange(6)}.0", platform)
        made.append(crash)
    return made


def _native(number: int) -> Result:
    place, verb = _PLACES[number % len(_PLACES)], _VERBS[number // len(_PLACES) % len(_VERBS)]
    names = (f"{place}::Worker{number}::{verb}(char const*)", f"{place}::run()", "main", "__libc_start_main")
    frames = [
        Frame(
            function=name,
            package=f"/opt/app/lib{place.partition('::')[0]}.so.1" if depth < 2 else "/opt/app/app",
            filename=f"{place.partition('::')[0]}.cpp",
            lineno=10 * number + depth,
            instruction_addr=f"0x{0x1000 + depth:x}",
            in_app=depth < 3,
            trust="cfi",
        )
        for depth, name in enumerate(names)
    ]
    signal = _SIGNALS[number % len(_SIGNALS)]
    return Result(platform="native", reason=signal, failures=[Failure(signal)], threads=[Thread(frames, crashed=True)])


def _script(number: int) -> Result:
    frame = Frame(
        function=f"onClick{number}", filename="https://shop.example/static/cart.js", lineno=number, in_app=True
    )
    failure = Failure("TypeError", f"Cannot read properties of undefined (reading 'price{number}')", stack=0)
    return Result(platform="javascript", failures=[failure], threads=[Thread([frame], crashed=True)])
