"""Counted lists, the form of most streams: a number and that many entries of one size."""

from __future__ import annotations

from engine.minidump.image import Image, Layout, Unreadable


def counted(image: Image, at: int, size: int, entry: Layout, *, at_most: int) -> tuple[int, int]:
    """Where the entries of a list begin, and how many there are.

    Some writers align the entries to eight bytes behind the number. Unreadable when the number contradicts the size
    of the stream or is greater than `at_most`.
    """
    if size < 4:
        raise Unreadable("the list has no length")
    count = image.u32(at)
    needed = count * entry.size
    if needed > size - 4:
        raise Unreadable(f"the list has room for {(size - 4) // entry.size} entries and claims {count}")
    if count > at_most:
        raise Unreadable(f"the list has {count} entries, more than {at_most}")
    return at + (8 if size == 8 + needed else 4), count


def headed(image: Image, at: int, size: int, header: Layout, least: int, *, at_most: int) -> tuple[int, int, int]:
    """The same for newer lists, which begin with the sizes of their header and of an entry: first, count, entry size.

    `header` has the two sizes and the number of entries; an entry has at least `least` bytes.
    """
    if size < header.size:
        raise Unreadable("the list has no header")
    skipped, entry, count = image.unpack(header, at)
    if entry < least or skipped < header.size or skipped + count * entry > size:
        raise Unreadable(f"the list claims {count} entries of {entry} bytes and does not hold them")
    if count > at_most:
        raise Unreadable(f"the list has {count} entries, more than {at_most}")
    return at + skipped, count, entry
