"""Debug files by what people and clients type."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from django.db.models import Q

from engine.modules import DebugId

_SEPARATORS: Final = re.compile(r"[\s{}-]")
# Fewer digits are more likely a part of a name.
_DIGITS: Final = re.compile("[0-9a-f]{4,128}")
_UUID_DIGITS: Final = 32


def matching(text: str) -> Q:
    """Files with `text` in their name, or with it as their debug id or code id."""
    return Q(object_name__icontains=text) | with_debug_id(DebugId.parse(text)) | Q(code_id=text.lower())


def with_debug_id(debug_id: DebugId | None) -> Q:
    """Files with the debug id, of any age where it has none; nothing for None."""
    if debug_id is None:
        return Q(pk=None)
    exact = Q(debug_uuid=debug_id.uuid)
    return exact & Q(debug_appendix=debug_id.appendix) if debug_id.appendix else exact


def searched(text: str) -> Q:
    """Files with `text` in their name, or whose debug id or code id is it or begins with it, however it is written."""
    return matching(text) | _beginning_with(text)


def _beginning_with(text: str) -> Q:
    digits = _SEPARATORS.sub("", text).lower()
    if _DIGITS.fullmatch(digits) is None:
        return Q(pk=None)
    found = Q(code_id__startswith=digits)
    if len(digits) <= _UUID_DIGITS:
        first, last = (UUID(hex=digits.ljust(_UUID_DIGITS, end)) for end in "0f")
        found |= Q(debug_uuid__gte=first, debug_uuid__lte=last)
    return found
