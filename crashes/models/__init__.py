"""What is stored of crashes. The rows are the truth: a job is only a hint that there is something to do."""

from crashes.models.crash import Attachment, Crash, CrashResult
from crashes.models.doomed import DoomedBlob
from crashes.models.group import Group, GroupName
from crashes.models.lacking import CrashLack, LackChange, LackedFile, Rerun, SourcesSeen
from crashes.models.rules import CrashRules, ProjectKey

__all__ = [
    "Attachment",
    "Crash",
    "CrashLack",
    "CrashResult",
    "CrashRules",
    "DoomedBlob",
    "Group",
    "GroupName",
    "LackChange",
    "LackedFile",
    "ProjectKey",
    "Rerun",
    "SourcesSeen",
]
