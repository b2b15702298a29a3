"""Forms with crash files."""

from __future__ import annotations

import json
from typing import Any

from tests.cast import Api
from tests.core.multipart import encoded

TYPE = "multipart/form-data; boundary=b0undary"
DUMP = "upload_file_minidump"
REPORT = "apple_crash_report"


def form(**parts: Any) -> bytes:
    """A form; texts and bytes as they are, anything else as JSON, each a field or a file by its kind."""
    return encoded((_head(name, value), _content(value)) for name, value in parts.items() if value is not None)


def post(api: Api, path: str, body: bytes | None = None, **parts: Any) -> Any:
    """Send a form, made of `parts` or ready."""
    return api.post(path, form(**parts) if body is None else body, content_type=TYPE)


def _head(name: str, value: Any) -> str:
    filename = '; filename="any.bin"' if isinstance(value, bytes) else ""
    return f'Content-Disposition: form-data; name="{name}"{filename}'


def _content(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
