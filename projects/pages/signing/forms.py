"""The forms of signing in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """E-mail address, in any case, and password."""

    error_messages = {
        "invalid_login": "E-mail address and password do not belong together.",
        "inactive": "This account is switched off. Ask whoever runs the service.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "inputmode": "email"}

    def clean_username(self) -> str:
        """As accounts have it."""
        return address_of(self.cleaned_data["username"])


def address_of(text: str) -> str:
    """An e-mail address as accounts have it: without blanks around it, in lower case."""
    return text.strip().lower()
