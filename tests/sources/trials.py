"""Testing sources by REST."""

from __future__ import annotations

from typing import Any

from tests.cast import Api
from tests.sources.helpers import HTTP, without
from tests.symbolication import symbolserver

PATH = "/api/0/projects/acme/native-app/symbol-sources/test/"
PASSWORD = "canary-test-55d0"
LEDGER = {"type": "elf", "code_id": symbolserver.LEDGER.replace("/", "")}
STEPS = ["resolve", "connect", "tls", "authenticate", "list", "read", "file", "layout"]


def http(url: str, **fields: Any) -> dict[str, Any]:
    return {**without(HTTP, "username", "password"), "url": url, **fields}


def tried(api: Api, body: Any, query: str = "") -> dict[str, Any]:
    response = api.post(PATH + query, body)
    assert response.status_code == 200, response.content
    report = response.json()
    assert PASSWORD not in response.content.decode()
    assert [step["step"] for step in report["steps"]] == STEPS
    assert all(step["text"].endswith(".") for step in report["steps"]), report
    return report  # type: ignore[no-any-return]


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {step["step"]: step["status"] for step in report["steps"]}


def failed(report: dict[str, Any]) -> list[str]:
    return [step["step"] for step in report["steps"] if step["status"] == "failed"]


def text_of(report: dict[str, Any], name: str) -> str:
    return next(step["text"] for step in report["steps"] if step["step"] == name)  # type: ignore[no-any-return]
