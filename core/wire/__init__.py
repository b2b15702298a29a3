"""The wire: reading bodies within bounds. See `core.wire.body`."""

from core.wire.errors import BodyBroken, BodyError, BodyTooLarge, BodyTooSlow

__all__ = ["BodyBroken", "BodyError", "BodyTooLarge", "BodyTooSlow"]
