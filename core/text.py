"""Text that comes from outside, before it goes into a model."""

from __future__ import annotations

import re
from typing import Final

REPLACEMENT: Final = "\ufffd"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` as PostgreSQL can store it.

    NUL and lone surrogates become U+FFFD; a pair of surrogates (what JSON's `\\ud83d\\ude00` may leave behind) becomes
    the character it stands for. Everything else is untouched.
    """
    if not _UNSTORABLE.search(text):
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\x00", REPLACEMENT)
