"""A program that crashes, reports an exception or sends a message with Backtrace's client for Python."""

import sys

import backtracepython

_, endpoint, token, mode, attachment = sys.argv
backtracepython.initialize(
    endpoint=endpoint,
    token=token or None,
    attributes={"application.version": "1.2.3", "tier": "prod", "flag": True, "count": 7},
    attachments=[attachment] if attachment else [],
    context_line_count=3,
    debug_backtrace=True,
    timeout=60,
    exit_timeout=60,
)


def sell(count):
    if count == 0:
        raise ValueError("nothing left: ünïcødé")
    sell(count - 1)


if mode == "uncaught":
    sell(3)
elif mode == "message":
    backtracepython.send_report("only a message", annotations={"nested": {"k": [1, 2, None]}})
else:
    try:
        sell(3)
    except ValueError:
        backtracepython.send_last_exception(attributes={"order": "4711"})
backtracepython.finalize()
