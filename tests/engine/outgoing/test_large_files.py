"""Files beyond four gigabytes: every offset is exact."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from engine.outgoing import Deadline, Reply, Transfer, pieces

FIVE_GIB = (5 << 30) + 3


class _Ledger:
    """A file that notes where it is written to and keeps nothing."""

    def __init__(self):
        self.position = 0
        self.spans = []

    def seek(self, offset):
        self.position = offset

    def truncate(self):
        pass

    def write(self, data):
        self.spans.append((self.position, self.position + len(data)))
        self.position += len(data)


@pytest.mark.parametrize("total", [FIVE_GIB, (1 << 32), (1 << 32) + 1, (1 << 31)])
def test_offsets_beyond_four_gigabytes_are_exact(monkeypatch, total):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 128 << 20)
    block = memoryview(bytes(32 << 20))

    @contextmanager
    def opener(part, deadline):
        last = min(part.last, total - 1)

        def chunks():
            position = part.first
            while position <= last:
                step = min(len(block), last + 1 - position)
                yield block[:step]
                position += step

        headers = {"content-range": f"bytes {part.first}-{last}/{total}", "etag": '"e"'}
        yield Reply(206, "", headers, chunks)

    ledger = _Ledger()
    Transfer(opener, ledger).attempt(Deadline.after(30))

    assert ledger.spans[0] == (total - 1, total)
    covered = sorted(ledger.spans[1:])
    assert covered[0][0] == 0
    assert covered[-1][1] == total
    assert all(left[1] == right[0] for left, right in zip(covered, covered[1:], strict=False))
