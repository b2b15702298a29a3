"""Jobs of this room."""

from __future__ import annotations

from core.background import periodic
from projects.pages.signing.turns import forget_old


@periodic("23 * * * *")
def sweep_sign_in_turns(_timestamp: int) -> None:
    """Delete what was counted of tries to sign in and says nothing any more."""
    forget_old()
