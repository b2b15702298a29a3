"""Crashes that lack files, and processing them again when these come.

No wake-up is lost, in whatever order a file and a crash commit and whoever is killed in between:

- An upload defers a job in its own transaction; the job looks for crashes that lack what came.
- A crash that is being processed meanwhile is not found by it. So the transaction that stores what a crash lacks holds
  a lock that such a job waits for, and looks itself, under the lock, at what came since its processing began.
"""

from crashes.again.gap import Revisions
from crashes.again.looking import look_once_more
from crashes.again.recording import record

__all__ = ["Revisions", "look_once_more", "record"]
