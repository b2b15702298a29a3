"""What this room's jobs are called, and how urgent what they do is."""

from __future__ import annotations

from typing import Final

# The queue of the jobs that put crashes into the queue of processing; those that wait for networks have another.
QUEUE: Final = "again"
WAITING_QUEUE: Final = "imports"
# Behind the crashes that just came in.
AGAIN: Final = 1
