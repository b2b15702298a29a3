"""Which version control system a Windows PDB says its sources lie in.

The stream `srcsrv` holds the text that Microsoft's source server tools write; its variable VERCTRL names the system.
"""

from __future__ import annotations

import re
from enum import StrEnum

from engine.formats.bytewise import Data
from engine.formats.msf import Msf

STREAM = b"srcsrv"
# The variables stand at the start, before the list of files.
READ_BYTES = 64 << 10
_VARIABLE = re.compile(rb"^[ \t]*VERCTRL[ \t]*=([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


class Vcs(StrEnum):
    GIT = "git"
    PERFORCE = "perforce"
    OTHER = "other"


def version_control(data: Data) -> Vcs | None:
    """The system that a PDB names; None when it names none. FormatError when `data` is no MSF 7.00 file."""
    file = Msf(data)
    number = file.named_streams().get(STREAM)
    found = _VARIABLE.search(file.stream(number, READ_BYTES)) if number is not None else None
    if not found:
        return None
    name = found[1].lower()
    if b"git" in name:
        return Vcs.GIT
    return Vcs.PERFORCE if b"perforce" in name else Vcs.OTHER
