"""UUID maps: which debug file a bitcode recompiled one came from.

A property list (XML or binary, Apple's) named by the new UUID, whose `DBGOriginalUUID` names the original, under which
the BCSymbolMap is kept.
"""

from __future__ import annotations

import plistlib
from uuid import UUID

from engine.formats.bytewise import Data, FormatError, viewed

KEY = "DBGOriginalUUID"
MAX_BYTES = 1 << 20


def original_uuid(data: Data) -> UUID:
    """The UUID of the original debug file; FormatError when the list is broken or does not name one."""
    view = viewed(data)
    if len(view) > MAX_BYTES:
        raise FormatError("the UUID map is too large")
    try:
        content = plistlib.loads(bytes(view))
    except Exception:  # noqa: BLE001 - plistlib and expat name no closed set of errors for broken input
        raise FormatError("the UUID map is not a property list") from None
    text = content.get(KEY) if isinstance(content, dict) else None
    try:
        return UUID(text if isinstance(text, str) else "")
    except ValueError:
        raise FormatError(f"the UUID map has no valid {KEY}") from None
