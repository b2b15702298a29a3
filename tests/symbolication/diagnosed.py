"""Asking for the diagnosis of one module."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

from tests.cast import Api
from tests.symbolication import symbolserver
from tests.symbolication.requests import ledger

PROJECT = "/api/0/projects/acme/native-app/"
LEDGER = f"/{symbolserver.LEDGER}"
PASSWORD = "canary-71c3"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def store(api: Api, *sources: dict[str, Any]) -> None:
    for source in sources:
        response = api.post(f"{PROJECT}symbol-sources/", source)
        assert response.status_code == 201, response.content


def symbolicate(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    response = api.post(f"{PROJECT}symbolicate/", body)
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]


def module_of(api: Api, *, candidates: bool = False, **fields: Any) -> dict[str, Any]:
    """The module of libledger.so in an answer, asked for with changed fields; None takes a field away."""
    body = ledger(options={"dif_candidates": candidates})
    module = body["modules"][0] | fields
    body["modules"] = [{name: value for name, value in module.items() if value is not None}]
    return symbolicate(api, body)["modules"][0]  # type: ignore[no-any-return]


def diagnosis_of(api: Api, verdict: str, *words: str, **fields: Any) -> dict[str, Any]:
    """The diagnosis of libledger.so, which has this verdict and whose cause and remedy hold these words."""
    found = module_of(api, **fields)["diagnosis"]
    assert found["verdict"] == verdict, found
    for word in words:
        assert word in f"{found['cause']} {found['remedy']}", found
    assert "{" not in found["cause"] + found["remedy"]
    assert PASSWORD not in str(found)
    return found  # type: ignore[no-any-return]


def seconds_until(text: str) -> float:
    assert TIME.fullmatch(text), text
    return datetime.fromisoformat(text).timestamp() - time.time()
