"""`_mod_…`: what a submission asks of processing and of its answer, beside the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.text import storable

SYNC: Final = "_mod_sync"
LOG: Final = "_mod_log"
FAULTING_TID: Final = "_mod_faulting_tid"
FINGERPRINT: Final = "_mod_fingerprint"
DUPLICATE: Final = "_mod_duplicate"
_PREFIX: Final = "_mod_"
_KNOWN: Final = frozenset({SYNC, LOG, FAULTING_TID, FINGERPRINT, DUPLICATE})
_LENGTH: Final = 200


def split(values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The modifiers among `values`, as texts, and what is left without any name that begins like one."""
    found = {name: storable(str(values[name]))[:_LENGTH] for name in values.keys() & _KNOWN}
    return found, {name: value for name, value in values.items() if not name.startswith(_PREFIX)}


def is_modifier(name: str) -> bool:
    """Whether a name is that of a modifier, a known one or not."""
    return name.startswith(_PREFIX)
