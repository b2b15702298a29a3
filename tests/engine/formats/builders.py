"""The smallest valid files of each format, made byte by byte from the specifications."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

CSHARP = UUID("3f5162f8-07c6-11d3-9053-00c04fa302a1")
EMBEDDED_SOURCE = UUID("0e8a571b-6926-466e-b4ad-8ab04611f5fe")
SOURCE_LINK = UUID("cc110556-a091-4d38-9fec-25ab9a351a6a")
PDB_UUID = UUID("3249d99d-0c40-4931-8610-f4e4fb0b6936")
MODULE_TAG, DOCUMENT_TAG = 7, 22


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def source_bundle(manifest: object, files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return b"SYSB" + struct.pack("<I", 2) + zipped({"manifest.json": json.dumps(manifest).encode(), **files}, method)


def fat(objects: Sequence[tuple[int, int, bytes]], *, wide: bool = False) -> bytes:
    """Objects of (CPU type, CPU subtype, content), each aligned to 4096 bytes."""
    head, body = b"", b""
    start = 4096
    for cpu, subtype, content in objects:
        place = struct.pack(">QQ" if wide else ">II", start + len(body), len(content))
        head += struct.pack(">II", cpu, subtype) + place + struct.pack(">I", 12) + (b"\0\0\0\0" if wide else b"")
        body += content + b"\0" * (-len(content) % 4096)
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(objects)) + head
    return head.ljust(start, b"\0") + body


def msf(streams: Sequence[bytes], *, block: int = 512) -> bytes:
    """A PDB container: header, map block, directory, then the streams, each block in reverse order of its stream."""
    blocks: list[bytes] = [b"", b"", b""]

    def store(content: bytes) -> list[int]:
        pieces = [content[at : at + block].ljust(block, b"\0") for at in range(0, len(content), block)]
        first = len(blocks)
        blocks.extend(reversed(pieces))
        return list(range(first + len(pieces) - 1, first - 1, -1))

    numbers = [number for content in streams for number in store(content)]
    directory = struct.pack("<I", len(streams)) + b"".join(struct.pack("<I", len(content)) for content in streams)
    directory += struct.pack(f"<{len(numbers)}I", *numbers)
    where = store(directory)
    blocks[1] = struct.pack(f"<{len(where)}I", *where).ljust(block, b"\0")
    magic = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"
    blocks[0] = (magic + struct.pack("<6I", block, 2, len(blocks), len(directory), 0, 1)).ljust(block, b"\0")
    blocks[2] = b"\0" * block
    return b"".join(blocks)


def pdb_info(names: dict[bytes, int]) -> bytes:
    """The PDB info stream, with its map of stream names."""
    buffer, pairs = b"", b""
    for name, number in names.items():
        pairs += struct.pack("<II", len(buffer), number)
        buffer += name + b"\0"
    head = struct.pack("<III", 20000404, 1, 1) + PDB_UUID.bytes_le
    table = struct.pack("<IIIII", len(names), max(len(names) * 2, 1), 1, 2 ** len(names) - 1, 0)
    return head + struct.pack("<I", len(buffer)) + buffer + table + pairs


def cabinet(
    blocks: Sequence[bytes],
    *,
    method: int = 1,
    files: int = 1,
    size: int | None = None,
    reserve: int = 0,
    reserve_summed: bool = True,
) -> bytes:
    """A cabinet of one folder; with method 1 each block is packed as MSZIP with the block before as dictionary."""
    data, before = b"", b""
    for content in blocks:
        if method == 1:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=before) if before else zlib.compressobj(wbits=-15)
            packed = b"CK" + packer.compress(content) + packer.flush()
        else:
            packed = content
        head = struct.pack("<HH", len(packed), len(content)) + b"\7" * reserve
        data += (
            struct.pack("<I", cab_checksum(head if reserve_summed else head[:4], cab_checksum(packed, 0)))
            + head
            + packed
        )
        before = content
    total = sum(map(len, blocks)) if size is None else size
    reserves = struct.pack("<HBB", 3, 0, reserve) + b"abc" if reserve else b""
    files_at = 36 + len(reserves) + 8
    entry = struct.pack("<IIHHHH", total, 0, 0, 0, 0, 0x20) + b"crash.pdb\0"
    data_at = files_at + files * len(entry)
    head = struct.pack("<4sIIIII", b"MSCF", 0, data_at + len(data), 0, files_at, 0)
    head += struct.pack("<BBHHHHH", 3, 1, 1, files, 4 if reserve else 0, 1, 0) + reserves
    return head + struct.pack("<IHH", data_at, len(blocks), method) + entry * files + data


def cab_checksum(data: bytes, seed: int) -> int:
    """As [MS-CAB] describes it, word by word."""
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        seed ^= int.from_bytes(data[at : at + 4], "little")
    return seed ^ int.from_bytes(data[whole:], "big")


def compressed(value: int) -> bytes:
    """An unsigned number of ECMA-335, II.23.2."""
    if value < 0x80:
        return bytes([value])
    if value < 0x4000:
        return (0x8000 | value).to_bytes(2, "big")
    return (0xC0000000 | value).to_bytes(4, "big")


def compressed_signed(value: int) -> bytes:
    for bits, prefix, size in ((7, 0, 1), (14, 0x8000, 2), (29, 0xC0000000, 4)):
        if -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            rotated = (value << 1 | (value < 0)) & ((1 << bits) - 1)
            return (prefix | rotated).to_bytes(size, "big")
    raise ValueError(value)


def embedded(text: bytes, *, packed: bool = True) -> bytes:
    if not packed:
        return struct.pack("<i", 0) + text
    packer = zlib.compressobj(wbits=-15)
    return struct.pack("<i", len(text)) + packer.compress(text) + packer.flush()


@dataclass
class PortablePdbBuilder:
    """A Portable PDB in the making. `wide` gives every heap 4-byte indices, `referenced` widens row numbers."""

    wide: bool = False
    referenced: dict[int, int] = field(default_factory=dict)
    blobs: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    guids: list[UUID] = field(default_factory=list)
    documents: list[tuple[int, int]] = field(default_factory=list)
    methods: list[tuple[int, int]] = field(default_factory=list)
    custom: list[tuple[int, int, int]] = field(default_factory=list)

    def blob(self, content: bytes) -> int:
        at = len(self.blobs)
        self.blobs += compressed(len(content)) + content
        return at

    def guid(self, guid: UUID) -> int:
        if guid not in self.guids:
            self.guids.append(guid)
        return self.guids.index(guid) + 1

    def document(self, path: str, separator: str = "/", language: UUID = CSHARP) -> int:
        parts = [compressed(self.blob(part.encode()) if part else 0) for part in path.split(separator)]
        self.documents.append((self.blob(separator.encode() + b"".join(parts)), self.guid(language)))
        return len(self.documents)

    def method(self, document: int, points: bytes) -> int:
        """`points` is the blob after the local signature."""
        self.methods.append((document, self.blob(compressed(0) + points) if points else 0))
        return len(self.methods)

    def information(self, tag: int, row: int, kind: UUID, value: bytes) -> None:
        self.custom.append((row << 5 | tag, self.guid(kind), self.blob(value)))

    def build(self) -> bytes:
        streams = {
            b"#Pdb": self._pdb_stream(),
            b"#~": self._tables(),
            b"#Strings": b"\0",
            b"#US": b"\0",
            b"#GUID": b"".join(guid.bytes_le for guid in self.guids),
            b"#Blob": bytes(self.blobs),
        }
        version = b"PDB v1.0".ljust(12, b"\0")
        head = struct.pack("<4sHHII", b"BSJB", 1, 1, 0, len(version)) + version + struct.pack("<HH", 0, len(streams))
        names = {name: (name + b"\0").ljust(-(-(len(name) + 1) // 4) * 4, b"\0") for name in streams}
        offset = len(head) + sum(8 + len(padded) for padded in names.values())
        body = b""
        for name, content in streams.items():
            head += struct.pack("<II", offset + len(body), len(content)) + names[name]
            body += content
        return head + body

    def _pdb_stream(self) -> bytes:
        present = sum(1 << table for table in self.referenced)
        counts = b"".join(struct.pack("<I", self.referenced[table]) for table in sorted(self.referenced))
        return PDB_UUID.bytes_le + struct.pack("<IIQ", 0x01020304, 0, present) + counts

    def _tables(self) -> bytes:
        heap = "I" if self.wide else "H"
        rows = "I" if len(self.documents) >= 1 << 16 else "H"
        largest = max([len(self.documents), *self.referenced.values()])
        coded = "I" if largest >= 1 << 11 else "H"
        method = "I" if self.referenced.get(0x06, 0) >= 1 << 16 else "H"
        tables = {
            0x30: [struct.pack(f"<{heap * 4}", name, 0, 0, language) for name, language in self.documents],
            0x31: [struct.pack(f"<{rows}{heap}", document, points) for document, points in self.methods],
            0x32: [struct.pack(f"<{method}HHHII", 1, 0, 0, 0, 0, 9)],
            0x36: [struct.pack(f"<{method}{method}", 1, 1)],
            0x37: [struct.pack(f"<{coded}{heap * 2}", *row) for row in self.custom],
        }
        head = struct.pack("<IBBBBQQ", 0, 2, 0, 7 if self.wide else 0, 1, sum(1 << t for t in tables), 0)
        head += b"".join(struct.pack("<I", len(content)) for content in tables.values())
        return head + b"".join(b"".join(content) for content in tables.values())
