"""Debug files on a web server on loopback, in the native layout, and requests about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from symbolic import Archive

from engine.outgoing import Deadline
from engine.run import Engine, decode_request
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.webserver import LOOPBACK, WebServer, reply

KEY = b"digest key"
# Where the small library lies. Four functions inlined into each other, and a plain one, of its `nofp` build; the
# headers of the file, before its first function.
BASE = 0x7F0000000000
INLINED, PLAIN, NOTHING = 0x10F5, 0x12B9, 0x10


@dataclass(frozen=True)
class Image:
    """What a crash reporter knows of a module, read from its file."""

    code_id: str | None
    debug_id: str
    name: str
    type: str

    def module(self, address=0x10000000, **fields):
        known = {
            "type": self.type,
            "code_id": self.code_id,
            "debug_id": self.debug_id,
            "code_file": f"/opt/app/{self.name}",
            "debug_file": self.name,
            "image_addr": hex(address),
        }
        return {key: value for key, value in (known | fields).items() if value is not None}


def read_image(data: bytes, name: str, *, type: str, arch: str | None = None) -> Image:
    archive = Archive.from_bytes(data)
    found = archive.get_object(arch=arch) if arch else next(archive.iter_objects())
    return Image(found.code_id, found.debug_id, name, type)


def serve_elf(server: WebServer, data: bytes, name: str) -> Image:
    image = read_image(data, name, type="elf")
    server.routes[f"/{image.code_id[:2]}/{image.code_id[2:]}"] = reply(body=data)
    return image


def http_source(server: WebServer, *, id="web", owner="acme", **fields):
    config = decode_sources([{"id": id, "type": "http", "url": server.url} | fields], operator=False)[0]
    return open_source(config, owner=owner, trust=LOOPBACK, digest_key=KEY)


def ask(engine: Engine, request: dict, sources=(), *, scope="p1", seconds=60.0, **fields):
    """The decoded answer to a request given as a dictionary."""
    body = json.dumps(request).encode()
    return json.loads(
        engine.symbolicate(decode_request(body), sources, scope=scope, deadline=Deadline.after(seconds), **fields)
    )


def stack(*offsets, base=BASE, **fields):
    """A stack of frames at offsets into the library."""
    return {"frames": [{"instruction_addr": hex(base + offset)} for offset in offsets]} | fields


def with_fields(offset, **fields):
    """One frame of the library that says more than its address."""
    return {"instruction_addr": hex(BASE + offset)} | fields


def frames(answer, stack=0):
    return answer["stacktraces"][stack]["frames"]


FIXTURES = Path(__file__).parents[2] / "fixtures"
