"""Diagnoses as they stand in results, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crashes.pages.shown.model import AskedSource, Mark, Try, Why
from debugfiles.providers import SOURCE_ID

_TRY_KINDS: Final = {
    "ok": "good",
    "found": "good",
    "notfound": "",
    "not_found": "",
    "missing": "",
    "noperm": "bad",
    "no_permission": "bad",
    "error": "bad",
    "malformed": "bad",
    "timeout": "warn",
}
_KNOWN: Final = ("verdict", "cause", "remedy", "sources", "text")


def why_of(diagnosis: Mapping[str, Any] | None) -> Why | None:
    """What a module's or frame's diagnosis says; None without one. Whatever it holds, nothing is raised."""
    if not diagnosis:
        return None
    sources = diagnosis.get("sources")
    return Why(
        cause=_text(diagnosis.get("cause") or diagnosis.get("text")),
        remedy=_text(diagnosis.get("remedy")),
        verdict=_text(diagnosis.get("verdict")).replace("_", " "),
        sources=[_source(one) for one in sources if isinstance(one, Mapping)] if isinstance(sources, list) else (),
        more=[(name.replace("_", " "), _text(value)) for name, value in diagnosis.items() if name not in _KNOWN],
    )


def _source(said: Mapping[str, Any]) -> AskedSource:
    tries = said.get("tries")
    identity = _text(said.get("id"))
    return AskedSource(
        id=identity,
        name=_text(said.get("name")) or identity,
        note=_text(said.get("note")),
        tries=[_try(one) for one in tries if isinstance(one, Mapping)] if isinstance(tries, list) else (),
        is_uploads=identity == SOURCE_ID,
    )


def _try(said: Mapping[str, Any]) -> Try:
    status = _text(said.get("status"))
    return Try(
        path=_text(said.get("path")),
        mark=Mark(status.replace("_", " "), _TRY_KINDS.get(status.lower(), "")),
        fetched_at=_moment(said.get("fetched_at")),
        next_try_at=_moment(said.get("next_try_at")),
        details=_text(said.get("details")),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return str(value)


def _moment(value: Any) -> str:
    return _text(value).replace("T", " ").removesuffix("Z")[:19]
