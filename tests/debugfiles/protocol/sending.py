"""What clients of the upload protocol do, through the test client."""

from __future__ import annotations

import gzip
import hashlib
import uuid

from tests.cast import Api

ORGANIZATION = "/api/0/organizations/acme/"
CHUNKS = f"{ORGANIZATION}chunk-upload/"
PROJECT = "/api/0/projects/acme/native-app/"
ASSEMBLE = f"{PROJECT}files/difs/assemble/"
UNKNOWN = f"{PROJECT}files/dsyms/unknown/"
PACKED = f"{PROJECT}files/dsyms/"
SIZE = 16 << 10
BUNDLES = f"{ORGANIZATION}artifactbundle/assemble/"


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def cut(content: bytes, size: int = SIZE) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def send_parts(api: Api, parts, path=CHUNKS, **headers):
    """Parts are `(name, file name, content)`."""
    boundary = uuid.uuid4().hex
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, filename, content in parts
    )
    whole = body + f"--{boundary}--\r\n".encode()
    return api.post(path, whole, content_type=f"multipart/form-data; boundary={boundary}", **headers)


def send_chunks(api: Api, *chunks: bytes, packed: bool = True, path=CHUNKS):
    name = "file_gzip" if packed else "file"
    parts = [(name, sha1(chunk), gzip.compress(chunk) if packed else chunk) for chunk in chunks]
    return send_parts(api, parts, path)


def wanted(content: bytes, name: str = "file", size: int = SIZE, **more):
    """One entry of a request to assemble debug files."""
    return {sha1(content): {"name": name, "chunks": [sha1(chunk) for chunk in cut(content, size)], **more}}


def assemble(api: Api, content: bytes, name: str = "file", path=ASSEMBLE, **more):
    """What the server says about the one file."""
    answer = api.post(path, wanted(content, name, **more))
    assert answer.status_code == 200, answer.content
    (state,) = answer.json().values()
    assert set(answer.json()) == {sha1(content)}
    assert isinstance(state["missingChunks"], list)
    return state


def wanted_bundle(content: bytes, projects=("native-app",), size: int = SIZE, **more):
    chunks = [sha1(chunk) for chunk in cut(content, size)]
    return {"checksum": sha1(content), "chunks": chunks, "projects": list(projects), **more}


def send_debug_file(api: Api, content: bytes, name: str = "file", **more):
    """A debug file, as a client sends it; what the server says at the end."""
    assert assemble(api, content, name, **more)["state"] == "not_found"
    assert send_chunks(api, *cut(content)).status_code == 200
    return assemble(api, content, name, **more)
