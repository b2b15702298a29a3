"""Archives of uploads: read as streams, member by member, in memory that does not grow with them.

Nothing is ever written under a name that an archive gives. Readers are in a module for each format, `opening` finds out
which one it takes, `members` keeps to the bounds and refuses what has no business in an upload.
"""

from debugfiles.archives.bounds import ArchiveRefused, Bounds
from debugfiles.archives.members import Candidate, Refused, members
from debugfiles.archives.opening import HEAD_BYTES, READABLE, is_archive, unreadable

__all__ = [
    "HEAD_BYTES",
    "READABLE",
    "ArchiveRefused",
    "Bounds",
    "Candidate",
    "Refused",
    "is_archive",
    "members",
    "unreadable",
]
