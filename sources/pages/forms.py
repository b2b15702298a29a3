"""One form per source type. They only carry what was entered: what is right is said by `sources.validation`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from django import forms

from core.api import ApiError
from sources.fields import hidden
from sources.models import SymbolSource
from sources.pages.entries import choice, secret, text
from sources.pages.words import CASING_WORDS, FILE_WORDS, LAYOUT_WORDS
from sources.selectors import shown
from sources.types import TYPES
from sources.types.s3 import REGIONS
from sources.validation import InvalidSource

_STORED: Final = "One is stored and not shown. Leave this empty to keep it."
_INDEX: Final = re.compile(r"\[(\d+)\]")
# Field paths of the API whose fields have another name in the form.
_NAMES: Final = {
    "id": "source_id",
    "layout": "layout_type",
    "layout.type": "layout_type",
    "layout.casing": "casing",
    "filters": "filetypes",
    "filters.filetypes": "filetypes",
    "filters.path_patterns": "path_patterns",
    "filters.requires_checksum": "requires_checksum",
}


class _Words(forms.MultipleChoiceField):
    def valid_value(self, value: object) -> bool:
        return True


class SourceForm(forms.Form):
    """What all types have. `stored`: the source that is edited, whose secrets are kept unless retyped."""

    kind: ClassVar[str]
    main: ClassVar[tuple[str, ...]]
    more: ClassVar[tuple[str, ...]] = ("source_id",)

    name = text("Name", "What people call the source.")
    source_id = text("Id", "What answers and candidates call it; it may not change without need. Empty: a new one.")

    def __init__(self, data: Any = None, *, stored: SymbolSource | None = None) -> None:
        self.stored = stored
        super().__init__(data, initial=self.initial_of(stored) if stored else None)
        for name in TYPES[self.kind].secrets:
            if self.keeps(name):
                self.fields[name].help_text = f"{_STORED} {self.fields[name].help_text}".strip()
        if "forget_password" in self.fields and not self.keeps("password"):
            del self.fields["forget_password"]

    def keeps(self, name: str) -> bool:
        """Whether a secret is stored that can be kept."""
        return self.stored is not None and self.stored.type == self.kind and name in self.stored.fields

    def main_fields(self) -> Iterator[forms.BoundField]:
        """The fields of the type, in order."""
        return (self[name] for name in self.main if name in self.fields)

    def more_fields(self) -> Iterator[forms.BoundField]:
        """What few need."""
        return (self[name] for name in self.more if name in self.fields)

    @property
    def more_is_open(self) -> bool:
        """Whether something of what few need is wrong or set."""
        return any(field.errors or (field.name != "source_id" and field.value()) for field in self.more_fields())

    def body(self) -> dict[str, Any]:
        """What was entered, as the body of a request to the API; empty fields are left out."""
        body: dict[str, Any] = {"type": self.kind, "name": self._entered("name")}
        source_id = self._entered("source_id") or (self.stored.source_id if self.stored else "")
        if source_id:
            body["id"] = source_id
        for entry in TYPES[self.kind].fields:
            value = self._value(entry.name)
            if value not in (None, "", [], {}):
                body[entry.name] = value
        return body

    def refuse(self, error: ApiError) -> None:
        """Show what the service refuses at the fields that it is about."""
        problems = error.problems if isinstance(error, InvalidSource) else ((error.field or "", error.message),)
        for path, why in problems:
            name, place = self._name(path)
            words = why.removeprefix(f"{path}: ")
            known = name in self.fields
            self.add_error(name if known else None, f"{place}{words}" if known else f"{path}: {words}".lstrip(": "))
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                break

    def complaints(self) -> list[str]:
        """What is wrong, with the labels of the fields."""
        return [
            f"{self.fields[name].label}: {' '.join(map(str, texts))}"
            if name in self.fields
            else " ".join(map(str, texts))
            for name, texts in self.errors.items()
        ]

    @classmethod
    def initial_of(cls, row: SymbolSource) -> dict[str, Any]:
        """The stored fields as the form has them, without secrets."""
        config = {name: value for name, value in shown(row).items() if isinstance(value, str)}
        return {**config, "name": row.name, "source_id": row.source_id}

    def _entered(self, name: str) -> str:
        value = (self.cleaned_data if self.is_bound else {}).get(name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    def _value(self, name: str) -> Any:
        if name not in TYPES[self.kind].secrets:
            return self._entered(name)
        forgotten = bool(self.cleaned_data.get(f"forget_{name}"))
        return self._entered(name) or (hidden() if self.keeps(name) and not forgotten else "")

    def _name(self, path: str) -> tuple[str, str]:
        """The form's field of a path of the API, and words for its place within."""
        bare, found = _INDEX.sub("", path), _INDEX.search(path)
        name = _NAMES.get(bare, bare)
        if name == "region" and found and found[1] == "1":
            return "endpoint", ""
        line = f"line {int(found[1]) + 1}: " if name == "path_patterns" and found else ""
        return name, line


class _FilesForm(SourceForm):
    """What sources have that lookups ask: where files lie, and which are asked for."""

    more: ClassVar[tuple[str, ...]] = ("filetypes", "path_patterns", "requires_checksum", "source_id")

    layout_type = choice("Layout", {"": "Choose…", **LAYOUT_WORDS}, "How folders and files are named there.")
    casing = choice("Casing", CASING_WORDS, "Some servers tell upper case from lower case.")
    filetypes = _Words(
        label="Kinds of files",
        help_text="Only these are asked for. None chosen: all.",
        required=False,
        choices=list(FILE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    path_patterns = forms.CharField(
        label="Names of modules",
        help_text="One pattern a line (*, ?, **). Only modules whose file names match one are asked for. Empty: all.",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    requires_checksum = forms.BooleanField(label="Only modules that come with a checksum", required=False)

    @classmethod
    def initial_of(cls, row: SymbolSource) -> dict[str, Any]:
        config = row.fields
        layout, filters = _object(config.get("layout")), _object(config.get("filters"))
        return {
            **super().initial_of(row),
            "layout_type": layout.get("type", ""),
            "casing": layout.get("casing", "default"),
            # The old place of these.
            "filetypes": filters.get("filetypes", config.get("filetypes", [])),
            "path_patterns": "\n".join(map(str, filters.get("path_patterns", []))),
            "requires_checksum": filters.get("requires_checksum", False),
        }

    def _value(self, name: str) -> Any:
        match name:
            case "layout":
                return self._layout()
            case "filters":
                return self._filters()
            case "filetypes":
                return None
            case _:
                return super()._value(name)

    def _layout(self) -> dict[str, str]:
        casing = self._entered("casing")
        layout = {"type": self._entered("layout_type")} if self._entered("layout_type") else {}
        # Absent and `default` are the same; what was stored with one of them stays so.
        said = self.stored is not None and "casing" in _object(self.stored.fields.get("layout"))
        return {**layout, "casing": casing} if layout and casing and (said or casing != "default") else layout

    def _filters(self) -> dict[str, Any]:
        patterns = [line for line in self._entered("path_patterns").split("\n") if line.strip()]
        given = {
            "filetypes": self.cleaned_data.get("filetypes") or None,
            "path_patterns": patterns or None,
            "requires_checksum": self.cleaned_data.get("requires_checksum") or None,
        }
        return {name: value for name, value in given.items() if value is not None}


class HttpForm(_FilesForm):
    kind = "http"
    main = ("name", "url", "username", "password", "forget_password", "layout_type", "casing")

    url = text("URL", "The folder that the files lie below, such as https://symbols.example.com/files/.")
    username = text("User name (optional)", "Sent with every request.")
    password = secret("Password (optional)", "Stored encrypted.")
    forget_password = forms.BooleanField(label="Remove the stored password", required=False)


class S3Form(_FilesForm):
    kind = "s3"
    main = ("name", "bucket", "region", "endpoint", "access_key", "secret_key", "prefix", "layout_type", "casing")

    bucket = text("Bucket", "Its name alone.")
    region = text("Region", "Such as eu-central-1.", attrs={"list": "regions"})
    endpoint = text(
        "Endpoint (optional)", "The URL of a service with Amazon's API elsewhere, such as https://minio.example.com."
    )
    access_key = text("Access key id")
    secret_key = secret("Secret access key", "It needs s3:GetObject, and better s3:ListBucket. Stored encrypted.")
    prefix = text("Folder (optional)", "The folder within the bucket that the files lie below.")  # type: ignore[assignment]

    regions: ClassVar[Mapping[str, str]] = REGIONS

    @classmethod
    def initial_of(cls, row: SymbolSource) -> dict[str, Any]:
        region = row.fields.get("region")
        name, endpoint = region if isinstance(region, list) and len(region) == 2 else (region, "")
        return {**super().initial_of(row), "region": name, "endpoint": endpoint}

    def _value(self, name: str) -> Any:
        if name == "region" and self._entered("endpoint"):
            return [self._entered("region"), self._entered("endpoint")]
        return super()._value(name)


class GcsForm(_FilesForm):
    kind = "gcs"
    main = ("name", "bucket", "client_email", "private_key", "prefix", "layout_type", "casing")

    bucket = text("Bucket", "Its name alone.")
    client_email = text("Service account", "Its address: client_email in the key file.")
    private_key = secret(
        "Private key", "private_key in the key file, with BEGIN and END lines. Stored encrypted.", lines=True
    )
    prefix = text("Folder (optional)", "The folder within the bucket that the files lie below.")  # type: ignore[assignment]


class AppStoreForm(SourceForm):
    kind = "appStoreConnect"
    main = ("name", "appconnectIssuer", "appconnectKey", "appconnectPrivateKey", "appId", "appName", "bundleId")

    appconnectIssuer = text("Issuer id", "In App Store Connect under Users and Access, Integrations.")  # noqa: N815
    appconnectKey = text("Key id", "Of an API key with the role Developer or higher.")  # noqa: N815
    appconnectPrivateKey = secret(  # noqa: N815
        "Private key", "The text of the .p8 file. Stored encrypted.", lines=True
    )
    appId = text("Apple ID of the app", "The number under App Information.")  # noqa: N815
    appName = text("Name of the app (optional)")  # noqa: N815
    bundleId = text("Bundle ID (optional)", "Given, the app is looked up by it.")  # noqa: N815


FORMS: Final[Mapping[str, type[SourceForm]]] = {form.kind: form for form in (HttpForm, S3Form, GcsForm, AppStoreForm)}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
