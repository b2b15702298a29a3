"""What a fingerprint is made of."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True):
    """One thing that counts.

    `kind`: client (a fingerprint or a part of one that the client chose), type, function, line, place, module,
    address, message, or platform where there is nothing else.
    """

    kind: str
    value: str


class Grouping(msgspec.Struct, frozen=True):
    """`fingerprint`: 64 hex characters. `title` and `culprit` are for people and not cut yet."""

    fingerprint: str
    title: str
    culprit: str
    parts: tuple[Part, ...]
