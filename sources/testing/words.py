"""What to do about the first step that failed."""

from __future__ import annotations

from typing import Final

from engine.errors import FailureKind
from sources.testing.steps import StepName

ALL_WELL: Final = "The source can be used."
NOTHING_TO_DO: Final = "Nothing needs to be done."

_BY_STEP: Final[dict[StepName, str]] = {
    StepName.RESOLVE: "Correct the host name. If it is one of your own network, the operator has to allow its addresses"
    " with ALLOWED_SOURCE_NETWORKS.",
    StepName.CONNECT: "Start the server, correct the port, or open the firewall between this service and it.",
    StepName.TLS: "Give the server a valid certificate for this host name, with its intermediate certificates.",
    StepName.AUTHENTICATE: "Enter the user name and password, or the keys, again.",
    StepName.LIST: "Grant the permission to list the bucket (s3:ListBucket or storage.objects.list), or correct its"
    " name and region.",
    StepName.READ: "Grant the permission to read the files (s3:GetObject or storage.objects.get).",
    StepName.FILE: "Check the layout and its casing, and whether the file lies on the source under one of the paths"
    " that were tried.",
    StepName.LAYOUT: "Choose the layout that the files have.",
}
_BY_KIND: Final[dict[tuple[StepName, FailureKind], str]] = {
    (StepName.READ, FailureKind.UNREACHABLE): "Look into the log of the server: it answers, but fails.",
    (
        StepName.READ,
        FailureKind.TIMED_OUT,
    ): "Check the load of the server: it accepts connections, but does not answer.",
    (StepName.READ, FailureKind.NOT_CONFIGURED): "Correct what the text of the step names.",
    (StepName.FILE, FailureKind.MALFORMED): "Put the debug file there, and have the server answer 404 for files that it"
    " does not have.",
    (StepName.FILE, FailureKind.REFUSED): "Grant the permission to read the files.",
}


def remedy(step: StepName, kind: FailureKind) -> str:
    """What a person can do when this step failed in this way."""
    return _BY_KIND.get((step, kind), _BY_STEP[step])
