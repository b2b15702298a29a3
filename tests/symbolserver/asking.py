"""Requests to a symbol server as debuggers send them, and rows of files without contents."""

from __future__ import annotations

import base64
import io
import itertools
import json
import struct
import zipfile

from django.test import Client

from debugfiles.models import Blob, DebugFile

_numbers = itertools.count(1)


def basic(token, user="debugger"):
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def ask(path, token=None, project="acme/native-app", method="GET", **headers):
    """The answer; a token goes along as the password of Basic authentication."""
    if token is not None:
        headers.setdefault("authorization", basic(token))
    return ask_at(f"/symbols/{project}/{path}", method, **headers)


def ask_at(address, method="GET", **headers):
    client = Client(raise_request_exception=False)
    return client.generic(method, address, headers=headers)


def content_of(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def row_of(project, file_types, *, debug_id=None, code_id="", name="file", size=100, created_at=None):
    """A debug file as an upload leaves it, but for its content."""
    sha256 = f"{next(_numbers):064x}"
    blob = Blob.objects.create(sha256=sha256, sha1=sha256[:40], size=size, key=f"content/{sha256}", state=Blob.STORED)
    return DebugFile.objects.create(
        project=project,
        blob=blob,
        object_size=size,
        debug_id=str(debug_id or ""),
        debug_uuid=debug_id.uuid if debug_id else None,
        debug_appendix=debug_id.appendix if debug_id else 0,
        code_id=code_id,
        file_types=[kind.value for kind in file_types],
        symbol_type="elf",
        object_name=name,
        checksum=blob.sha1,
    )


def source_bundle(path, content, **ids):
    """A source bundle as sentry-cli makes one: its manifest names files by the paths in the debug information."""
    made = io.BytesIO()
    made.write(b"SYSB" + struct.pack("<I", 2))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"files{path}", content)
        archive.writestr(
            "manifest.json", json.dumps({"files": {f"files{path}": {"type": "source", "path": path}}, **ids})
        )
    return made.getvalue()
