"""MSF 7.00, the container of Windows PDB files: numbered streams, some of them with a name.

After LLVM's description ("The MSF File Format", "The PDB Info Stream") of what Microsoft's microsoft-pdb publishes.
"""

from __future__ import annotations

import struct

from engine.formats.bytewise import Cursor, Data, FormatError, part, viewed

MAGIC = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"
BLOCK_SIZES = frozenset({512, 1024, 2048, 4096, 8192, 16384, 32768})
MAX_DIRECTORY_BYTES = 64 << 20
# Stream numbers have 16 bits everywhere that PDB files store them.
MAX_STREAMS = 1 << 16
MAX_INFO_BYTES = 4 << 20
MAX_NAME_BYTES = 256
_INFO_STREAM = 1
_NO_STREAM = 0xFFFFFFFF


class Msf:
    """The streams of one file, read when asked for."""

    def __init__(self, data: Data) -> None:
        """FormatError when `data` is no MSF 7.00 file, or its directory cannot be read."""
        self._data = viewed(data)
        if self._data[: len(MAGIC)] != MAGIC:
            raise FormatError("not an MSF 7.00 file")
        head = Cursor(self._data, "the PDB header", len(MAGIC))
        self._block = head.u32()
        head.take(8)
        directory_bytes = head.u32()
        head.take(4)
        map_block = head.u32()
        if self._block not in BLOCK_SIZES or directory_bytes > MAX_DIRECTORY_BYTES:
            raise FormatError("the PDB header is not valid")
        where = part(self._data, map_block * self._block, 4 * self._blocks(directory_bytes), "the PDB block map")
        self._directory = memoryview(self._gather(where, directory_bytes))
        self._sizes = _numbers(self._directory, 4, self._count())

    def stream(self, number: int, longest: int) -> bytes:
        """The first `longest` bytes of a stream; nothing when the file has no stream of this number."""
        if not 0 <= number < len(self._sizes):
            return b""
        before = sum(self._blocks(size) for size in self._sizes[:number])
        size = min(_real(self._sizes[number]), longest)
        at = 4 + 4 * len(self._sizes) + 4 * before
        return self._gather(part(self._directory, at, 4 * self._blocks(size), "the PDB directory"), size)

    def named_streams(self) -> dict[bytes, int]:
        """Name and number of the streams that the PDB info stream lists."""
        info = Cursor(memoryview(self.stream(_INFO_STREAM, MAX_INFO_BYTES)), "the PDB info stream")
        if not info.left:
            return {}
        info.take(12 + 16)
        names = info.take(info.u32())
        count, capacity = info.u32(), info.u32()
        if count > capacity:
            raise FormatError("the PDB info stream is not valid")
        for _ in range(2):
            info.take(4 * info.u32())
        pairs = struct.iter_unpack("<II", info.take(8 * count))
        return {Cursor(names, "a PDB stream's name", at).terminated(MAX_NAME_BYTES): number for at, number in pairs}

    def _count(self) -> int:
        count = Cursor(self._directory, "the PDB directory").u32()
        if count > MAX_STREAMS:
            raise FormatError("the PDB directory lists too many streams")
        return count

    def _blocks(self, size: int) -> int:
        return -(-_real(size) // self._block)

    def _gather(self, where: memoryview, size: int) -> bytes:
        """`size` bytes out of the blocks whose numbers `where` lists."""
        gathered = bytearray()
        for number in _numbers(where, 0, len(where) // 4):
            gathered += part(self._data, number * self._block, self._block, "a PDB block")
        return bytes(gathered[:size])


def _real(size: int) -> int:
    return 0 if size == _NO_STREAM else size


def _numbers(data: memoryview, start: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}I", part(data, start, 4 * count, "the PDB directory"))
