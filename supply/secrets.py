"""Secrets that somebody committed: by the forms that keys and tokens of real services have."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

from supply.pins import ROOT

# The forms are those that the services document, so that a random text is none; a piece of each comes first, which most
# files do not hold.
FORMS: Final = MappingProxyType(
    {
        "a private key": (b"PRIVATE KEY-----", rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\sA-Za-z0-9+/=\\]{200,}"),
        "an access key of Amazon": (b"AKIA", rb"\bAKIA[0-9A-Z]{16}\b"),
        "a key of Google's": (b"AIza", rb"\bAIza[0-9A-Za-z_-]{35}\b"),
        "a token of GitHub": (b"ghp_", rb"\bghp_[0-9A-Za-z]{36}\b"),
        "a finer token of GitHub": (b"github_pat_", rb"\bgithub_pat_[0-9A-Za-z_]{82}\b"),
        "a token of GitLab": (b"glpat-", rb"\bglpat-[0-9A-Za-z_-]{20}\b"),
        "a token of Slack": (b"xox", rb"\bxox[abprs]-[0-9]{10,13}-[0-9A-Za-z-]{20,}"),
        "a key of Stripe": (b"k_live_", rb"\b[rs]k_live_[0-9A-Za-z]{24,}\b"),
        "a token of PyPI": (b"pypi-AgEIcHlwaS5vcmc", rb"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,}"),
        "a token of npm": (b"npm_", rb"\bnpm_[0-9A-Za-z]{36}\b"),
        "a token of Sentry": (b"sntry", rb"\bsntry[su]_[0-9A-Za-z+/=_]{40,}"),
        "a signed web token": (
            b".eyJ", rb"\beyJ[0-9A-Za-z_-]{15,}\.eyJ[0-9A-Za-z_-]{15,}\.[0-9A-Za-z_-]{20,}"
        ),
        "a password in a connection": (b"postgres", rb"postgres(?:ql)?://[^\s:/@\"'{}<>]+:[^\s@\"'{}<>]{12,}@"),
    }
)  # fmt: skip
# What looks like one and opens nothing.
ALLOWED: Final = MappingProxyType(
    {
        b"AKIAIOSFODNN7EXAMPLE": "the example of Amazon's own documentation",
    }
)
# Files whose content came from elsewhere or is packed.
PASSED_OVER: Final = MappingProxyType(
    {
        ".xz": "packed",
        ".gz": "packed",
        ".png": "a picture",
        ".dmp": "memory of programs written for the tests",
        ".debug": "a build of the tests",
        ".so": "a build of the tests",
    }
)
_MOST_BYTES: Final = 8 << 20


def committed() -> list[Path]:
    """The files that are under version control and there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in listed.split(b"\0") if name and (path := ROOT / name.decode()).is_file()]


def finds(content: bytes) -> Iterator[str]:
    """What of a text looks like a secret, without repeating it."""
    for name, (piece, form) in FORMS.items():
        for found in re.finditer(form, content) if piece in content else ():
            if not any(allowed in found[0] for allowed in ALLOWED):
                line = content.count(b"\n", 0, found.start()) + 1
                yield f"line {line}: looks like {name}"


def objections() -> Iterator[str]:
    """Every place in the files under version control that looks like a secret."""
    for path in committed():
        if path.suffix not in PASSED_OVER and path.stat().st_size <= _MOST_BYTES:
            yield from (f"{path.relative_to(ROOT)}: {found}" for found in finds(path.read_bytes()))
