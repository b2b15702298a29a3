"""Bodies to send, and how to read what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import symbolsvc.demo

LEDGER_ADDRESS = "0x7f6bde3a022e"


def crash() -> dict[str, Any]:
    """The shipped crash as a request: one thread, seven modules."""
    return json.loads((Path(symbolsvc.demo.__file__).parent / "crash.json").read_text())  # type: ignore[no-any-return]


def ledger(**more: Any) -> dict[str, Any]:
    """One frame in libledger.so."""
    body = crash()
    modules = [module for module in body["modules"] if module["debug_file"] == "libledger.so"]
    frames = [{"instruction_addr": LEDGER_ADDRESS}]
    return {"stacktraces": [{"frames": frames}], "modules": modules, "options": {"dif_candidates": True}, **more}


def http_source(url: str, source_id: str = "builds", **more: Any) -> dict[str, Any]:
    """A source in Symbolicator's form."""
    return {"id": source_id, "type": "http", "url": url, "filters": {"filetypes": ["elf_code", "elf_debug"]}, **more}


def stored_source(url: str, source_id: str = "builds", **more: Any) -> dict[str, Any]:
    """A source in the form of the REST API."""
    layout = {"type": "native", "casing": "default"}
    return {"id": source_id, "name": source_id, "type": "http", "url": url, "layout": layout, **more}


def first_frame(answer: Any) -> dict[str, Any]:
    return answer["stacktraces"][0]["frames"][0]  # type: ignore[no-any-return]


def is_resolved(answer: Any) -> bool:
    """Whether the frame in libledger.so has got its name and line."""
    frame = first_frame(answer)
    return (frame.get("function"), frame.get("filename"), frame.get("lineno")) == ("inl_touch", "ledger.cpp", 15)


def gave_up(answer: Any) -> bool:
    """Whether the answer says of the module that its server did not answer in time."""
    return first_frame(answer)["status"] == "missing" and answer["modules"][0]["debug_status"] == "timeout"
