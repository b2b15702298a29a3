from __future__ import annotations

from pathlib import Path

import pytest

from projects.scopes import SCOPES

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_is_explained_with_the_text_of_the_code(scope: str) -> None:
    assert f"| `{scope}` | {SCOPES[scope]} |" in (DOCS / "access.md").read_text(encoding="utf-8")
