"""Debug files by what people and clients type."""

from __future__ import annotations

from django.db.models import Q

from engine.modules import DebugId


def matching(text: str) -> Q:
    """Files with `text` in their name, or with it as their debug id or code id."""
    return Q(object_name__icontains=text) | with_debug_id(DebugId.parse(text)) | Q(code_id=text.lower())


def with_debug_id(debug_id: DebugId | None) -> Q:
    """Files with the debug id, of any age where it has none; nothing for None."""
    if debug_id is None:
        return Q(pk=None)
    exact = Q(debug_uuid=debug_id.uuid)
    return exact & Q(debug_appendix=debug_id.appendix) if debug_id.appendix else exact
