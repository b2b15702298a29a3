"""Who belongs to the staff."""

from __future__ import annotations

from django.contrib.auth.models import User


def make_staff(user: User, *, staff: bool) -> None:
    """Let a user look at operations, or no more."""
    user.is_staff = staff
    user.save(update_fields=["is_staff"])
