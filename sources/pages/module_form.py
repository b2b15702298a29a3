"""The form of a module that a source is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from core.api import ApiError
from sources.pages.entries import choice, text
from sources.pages.words import MODULE_WORDS, SAMPLE_WORDS


class ModuleForm(forms.Form):
    """A module to show the paths of, and to look for in a test: one of the samples, or one's own by its ids."""

    prefix = "file"

    sample = choice("Example module", SAMPLE_WORDS)
    type = choice("Kind", MODULE_WORDS)
    debug_id = text("Debug id")
    debug_file = text("Debug file", "Such as ledger.pdb.")
    code_id = text("Code id", "Build id, UUID, or time stamp and size.")
    code_file = text("Code file", "Such as /usr/lib/libledger.so.")

    def own_fields(self) -> Iterator[forms.BoundField]:
        """The fields of one's own module."""
        return (self[name] for name in ("type", "debug_id", "debug_file", "code_id", "code_file"))

    @property
    def own_is_open(self) -> bool:
        return any(field.errors or field.value() for field in self.own_fields())

    def body(self) -> dict[str, Any] | None:
        """One's own module as a test takes it; None when no id was entered."""
        names = ("type", "debug_id", "debug_file", "code_id", "code_file")
        given = {name: self.cleaned_data.get(name) for name in names} if self.is_valid() else {}
        given = {name: value for name, value in given.items() if value}
        return given if given.keys() & {"debug_id", "code_id"} else None

    def refuse(self, error: ApiError) -> bool:
        """Show a refusal at the field that it is about; False when it is about none of these."""
        name = (error.field or "").removeprefix("file.")
        if not (error.field or "").startswith("file"):
            return False
        self.is_valid()
        why = error.message.removeprefix(f"{error.field}: ")
        self.add_error(name if name in self.fields else None, why)
        return True
