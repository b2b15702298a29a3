"""The crashes of the demo's project, sent as its clients would send them, and the file that one of them lacks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from symbolsvc.demo.client import Client, DemoError

_HERE: Final = Path(__file__).parent
DUMP: Final = _HERE / "crash.dmp"
EVENT: Final = _HERE / "event.json"
# A dump of another build, of whose library no source has the debug file; that one lies beside it.
LACKING: Final = _HERE / "missing" / "crash.dmp"
MISSING: Final = _HERE / "missing" / "libledger.so"

_DUMPS: Final = (
    {"version": "2.0.0", "hostname": "shop-web-1", "customer": "gold"},
    {"version": "2.0.0", "hostname": "shop-web-2", "customer": "silver"},
    {"version": "2.1.0", "hostname": "shop-web-1", "customer": "gold"},
)
_EVENTS: Final = ({"version": "2.0.0"}, {"version": "2.1.0"})
_BETA: Final = {"version": "2.2.0-beta", "hostname": "shop-test", "customer": "staff"}
_WAIT_SECONDS: Final = 30.0


def send(client: Client) -> None:
    """Submit them all, the one that lacks a file last; nothing where an earlier run has done it."""
    if client.call("GET", f"{client.project_path}/crashes/?per_page=1"):
        return
    for sent in _reports():
        client.submit(*sent)


def lacking(client: Client) -> str | None:
    """The number of the crash that lacks a file, once all are processed; None when it was deleted.

    Raises DemoError when that takes too long.
    """
    path = f"{client.project_path}/crashes/"
    deadline = time.monotonic() + _WAIT_SECONDS
    while any(crash["state"] in {"pending", "running"} for crash in client.call("GET", path)):
        if time.monotonic() > deadline:
            raise DemoError("the crashes are not processed yet; the log of the service says why")
        time.sleep(0.1)
    found = client.call("GET", f"{path}?{urlencode({'version': _BETA['version']})}")
    return str(found[-1]["id"]) if found else None


def _reports() -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Format, body and attributes of each."""
    for attributes in _DUMPS:
        yield "minidump", DUMP.read_bytes(), attributes
    for attributes in _EVENTS:
        yield "json", _event(), attributes
    yield "minidump", LACKING.read_bytes(), _BETA | {"hint": f"What lacks lies ready in {MISSING}"}


def _event() -> bytes:
    event: dict[str, Any] = json.loads(EVENT.read_bytes())
    return json.dumps({**event, "uuid": str(uuid4()), "timestamp": int(time.time())}).encode()
