"""Pieces that are small enough for files of a test."""

from __future__ import annotations

import pytest

from engine.outgoing import pieces


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100)
    monkeypatch.setattr("engine.outgoing.transfer.CHUNK_BYTES", 10)
