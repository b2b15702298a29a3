"""Forms of the rules for uploads."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from debugfiles.models import Retention, Scraping
from debugfiles.retention.policy import UNLIMITED, Policy, WhenFull
from debugfiles.scraping import MAX_HEADERS

_MOST_DAYS: Final = 36_500
_MOST_BYTES: Final = 1 << 60
_GB: Final = 10**9
_MOST_GB: Final = _MOST_BYTES // _GB
_DEFAULT: Final = "default"
_UNLIMITED: Final = "unlimited"
_OWN: Final = "own"


class RetentionForm(forms.Form):
    """A project's own rules over those of the settings; `default` says what these are."""

    keep = forms.ChoiceField(label="Keep files", widget=forms.RadioSelect)
    keep_days = forms.IntegerField(label="Days after the last use", required=False, min_value=1, max_value=_MOST_DAYS)
    quota = forms.ChoiceField(label="Together they may take", widget=forms.RadioSelect)
    quota_gb = forms.DecimalField(
        label="GB", required=False, min_value=0, max_value=_MOST_GB, max_digits=15, decimal_places=3
    )
    when_full = forms.ChoiceField(label="An upload that does not fit")

    def __init__(self, *args: Any, default: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days, quota = default.keep_days, default.quota_bytes
        said_days = "for ever" if days is None else f"for {days} days after their last use"
        said_quota = "without a limit" if quota is None else f"{quota / _GB:g} GB"
        self._choices("keep", f"As this service says: {said_days}", "For ever", "For some days after their last use")
        self._choices("quota", f"As this service says: {said_quota}", "As much as there is room", "At most")
        said_full = "is refused" if default.when_full is WhenFull.REFUSE else "takes the place of what is used least"
        self._field("when_full").choices = [
            ("", f"as this service says: {said_full}"),
            (WhenFull.REFUSE.value, "is refused"),
            (WhenFull.EVICT.value, "takes the place of what was used longest ago"),
        ]
        self._field("when_full").required = False

    def clean(self) -> dict[str, Any]:
        """A number is needed where one was chosen."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("keep") == _OWN and not cleaned.get("keep_days") and "keep_days" not in self.errors:
            self.add_error("keep_days", "For how many days?")
        if cleaned.get("quota") == _OWN and not cleaned.get("quota_gb") and "quota_gb" not in self.errors:
            self.add_error("quota_gb", "How much may they take?")
        return cleaned

    @property
    def stored_days(self) -> int | None:
        """As it is stored: None as the settings say, 0 without a limit."""
        return self._stored("keep", int(self.cleaned_data.get("keep_days") or 0))

    @property
    def stored_bytes(self) -> int | None:
        """As it is stored: None as the settings say, 0 without a limit."""
        return self._stored("quota", max(1, int((self.cleaned_data.get("quota_gb") or 0) * _GB)))

    @property
    def when(self) -> WhenFull | None:
        """What becomes of uploads that do not fit; None as the settings say."""
        chosen = self.cleaned_data.get("when_full")
        return WhenFull(chosen) if chosen else None

    @staticmethod
    def initial_of(row: Retention | None) -> dict[str, Any]:
        """What the form shows of stored rules."""
        days, quota = (None, None) if row is None else (row.keep_days, row.quota_bytes)
        return {
            "keep": _choice(days),
            "keep_days": days or None,
            "quota": _choice(quota),
            "quota_gb": round(quota / _GB, 3) if quota else None,
            "when_full": "" if row is None else row.when_full,
        }

    def _stored(self, name: str, own: int) -> int | None:
        chosen = self.cleaned_data[name]
        return own if chosen == _OWN else UNLIMITED if chosen == _UNLIMITED else None

    def _choices(self, name: str, default: str, unlimited: str, own: str) -> None:
        self._field(name).choices = [(_DEFAULT, default), (_UNLIMITED, unlimited), (_OWN, own)]

    def _field(self, name: str) -> forms.ChoiceField:
        found = self.fields[name]
        assert isinstance(found, forms.ChoiceField)  # noqa: S101 - for the type checker
        return found


class ScrapingForm(forms.Form):
    """From where source maps are fetched. Values of headers are never shown; what is left empty stays as it is."""

    enabled = forms.BooleanField(label="Fetch scripts and source maps from the web", required=False)
    allowed_origins = forms.CharField(
        label="From these hosts",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=60_000,
        help_text="One on each line: example.com, *.example.com, https://example.com:8443/assets, or * for every host.",
    )
    verify_ssl = forms.BooleanField(label="Check certificates", required=False)
    new_header = forms.CharField(label="Header to add", required=False, max_length=128)
    new_value = forms.CharField(
        label="Its value", required=False, max_length=4096, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, header_names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = header_names[:MAX_HEADERS]
        for index, name in enumerate(self._names):
            self.fields[f"value_{index}"] = forms.CharField(
                label=name,
                required=False,
                max_length=4096,
                widget=forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "kept as it is"}),
            )
            self.fields[f"remove_{index}"] = forms.BooleanField(label=f"Remove {name}", required=False)

    def clean(self) -> dict[str, Any]:
        """A new header has a name and a value."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_header") and not cleaned.get("new_value"):
            self.add_error("new_value", "Which value?")
        if cleaned.get("new_value") and not cleaned.get("new_header"):
            self.add_error("new_header", "The value of which header?")
        return cleaned

    @property
    def origins(self) -> list[str]:
        """The hosts, in the order of the lines."""
        lines = (line.strip() for line in self.cleaned_data["allowed_origins"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    @property
    def headers(self) -> dict[str, str | None]:
        """All headers there are to be; None keeps a value."""
        kept: dict[str, str | None] = {
            name: self.cleaned_data[f"value_{index}"] or None
            for index, name in enumerate(self._names)
            if not self.cleaned_data[f"remove_{index}"]
        }
        if self.cleaned_data.get("new_header"):
            kept[self.cleaned_data["new_header"]] = self.cleaned_data["new_value"]
        return kept

    @property
    def header_fields(self) -> list[tuple[Any, Any]]:
        """The fields of each stored header: its value, and its removal."""
        return [(self[f"value_{index}"], self[f"remove_{index}"]) for index in range(len(self._names))]

    @staticmethod
    def initial_of(row: Scraping) -> dict[str, Any]:
        """What the form shows of stored rules."""
        return {
            "enabled": row.enabled,
            "allowed_origins": "\n".join(row.allowed_origins),
            "verify_ssl": row.verify_ssl,
        }


def _choice(stored: int | None) -> str:
    if stored is None:
        return _DEFAULT
    return _OWN if stored else _UNLIMITED
