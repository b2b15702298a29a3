"""The jobs of grouping again. What they do is imported when they do it: it defers them."""

from __future__ import annotations

from core.background import periodic, task


@task()
def regroup(*, rerun_id: int) -> None:
    """Group a window of crashes again, and leave the next one to another job so that others get their turn."""
    from crashes.grouping import regrouping

    if regrouping.advance(rerun_id):
        regrouping.advance_later(rerun_id)


@periodic("* * * * *")
def tend_regrouping(timestamp: int) -> None:
    """Go on with runs whose job was lost."""
    from crashes.grouping import regrouping

    regrouping.tend()
