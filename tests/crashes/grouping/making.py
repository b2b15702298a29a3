"""Crashes, results and frames for tests of grouping."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from crashes.grouping import assign
from crashes.grouping.groups import Placed
from crashes.models import Crash, CrashResult
from crashes.results import Failure, Frame, Result, Thread, packed
from debugfiles.records.services import new_rxid
from projects.models import Project

_numbers = itertools.count(1)


def stack(*names: str | Frame, in_app: bool | None = True) -> Result:
    """A native crash whose crashed thread has these frames, innermost first."""
    frames = [
        name
        if isinstance(name, Frame)
        else Frame(function=name, instruction_addr=f"0x{0x1000 + number:x}", in_app=in_app, trust="cfi")
        for number, name in enumerate(names)
    ]
    return Result(
        platform="native",
        reason="SIGSEGV",
        failures=[Failure(type="SIGSEGV", stack=1)],
        threads=[Thread(frames=[Frame(function="idle")]), Thread(frames=frames, crashed=True)],
    )


def script(*frames: Frame, platform: str = "javascript", type_: str = "TypeError", value: str = "x") -> Result:
    """A crash of a script."""
    return Result(
        platform=platform,
        failures=[Failure(type=type_, value=value, stack=0)],
        threads=[Thread(frames=list(frames), crashed=True)],
    )


def make_crash(project: Project, **values: Any) -> Crash:
    """A crash that nothing has processed yet."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "rxid": new_rxid(),
        "format": "minidump",
        "door": "backtrace",
        "blob_key": f"made-for-tests/{number}",
        "size": 3,
        "stored_bytes": 3,
        "sha256": f"{number:064x}",
        "state": Crash.State.DONE,
        "received_at": timezone.now(),
    }
    return Crash.objects.create(project=project, **(defaults | values))


def processed(crash: Crash, result: Result, version: str = "1.0", platform: str = "native") -> bool:
    """What processing does when it has a result, in a transaction of its own."""
    with transaction.atomic():
        locked = Crash.objects.select_for_update().get(pk=crash.pk)
        CrashResult.objects.update_or_create(crash=locked, defaults={"body": packed(result)})
        is_new = assign(locked, result, Placed(platform, version))
        locked.platform, locked.version = platform, version
        locked.save()
    crash.refresh_from_db()
    return is_new


def grouped(project: Project, *names: str, version: str = "1.0", at: datetime | None = None, **values: Any) -> Crash:
    """A crash with this stack, in its group."""
    crash = make_crash(project, **({} if at is None else {"received_at": at}), **values)
    processed(crash, stack(*names), version)
    return crash
