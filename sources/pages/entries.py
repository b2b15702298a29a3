"""Fields of the forms. They take whatever is entered: what is right is said by the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms


def text(label: str, help_text: str = "", **more: Any) -> forms.CharField:
    """A line of text, which nobody corrects."""
    attributes = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", **more.pop("attrs", {})}
    return forms.CharField(
        label=label, help_text=help_text, required=False, widget=forms.TextInput(attrs=attributes), **more
    )


def secret(label: str, help_text: str = "", *, lines: bool = False) -> forms.CharField:
    """A secret, which no page shows again; `lines`: it has several."""
    attributes = {"autocomplete": "new-password" if not lines else "off", "spellcheck": "false", "data-secret": "true"}
    widget = forms.Textarea(attrs={**attributes, "rows": 4}) if lines else forms.PasswordInput(attrs=attributes)
    return forms.CharField(label=label, help_text=help_text, required=False, strip=False, widget=widget)


def choice(label: str, words: Mapping[str, str], help_text: str = "") -> forms.CharField:
    """One of some words; whether it is one is for the service to say."""
    widget = forms.Select(choices=list(words.items()))
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)
