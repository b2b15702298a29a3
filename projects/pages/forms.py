"""What the forms of pages have in common."""

from __future__ import annotations

from typing import Any

from django import forms

from core.api import ApiError


class PageForm(forms.Form):
    """A form whose first field with a problem has the focus, and that can say what a service refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        """As Django does it; then the focus."""
        super().full_clean()
        self._focus_on_first_problem()

    def refuse(self, error: ApiError, **renamed: str) -> None:
        """Show an error of a service beside its field. `renamed`: fields that the service calls otherwise."""
        name = renamed.get(error.field or "", error.field or "")
        text = error.message.removeprefix(f"{error.field}: ")
        known = name in self.fields
        self.add_error(name if known else None, f"{text[:1].upper()}{text[1:]}." if known else error.message)
        self._focus_on_first_problem()

    def _focus_on_first_problem(self) -> None:
        if not self.is_bound:
            return
        for name in self.fields:
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                return
