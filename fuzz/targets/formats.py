"""Files beside native debug information: portable PDBs, bundles, maps, SRCSRV, indexes, packed files, names."""

from __future__ import annotations

import io
from collections.abc import Callable

from engine.formats.bytewise import FormatError
from engine.formats.decompress import decompress
from engine.formats.dsym import dwarf_paths
from engine.modules import DebugId
from engine.native.demangle import demangle
from engine.native.hexvalues import BadHex, parse_hex
from fuzz.seeds import corpus, shared
from fuzz.target import Shape, Target
from tests.engine.formats.test_hostile import SAMPLES
from tests.engine.native.test_demangle import ITANIUM

_MOST = 8 << 20
_SHAPES = {"source links": Shape.JSON, "il2cpp": Shape.JSON, "symbol map": Shape.LINES, "transaction": Shape.LINES}
_MORE: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "portable pdb": lambda: shared("peers/symbolic/windows/portable.pdb", "peers/symbolic/windows/*Basic.pdb"),
    "symbol map": lambda: shared("peers/**/*.bcsymbolmap"),
    "uuid map": lambda: shared("peers/**/*.plist"),
    "source bundle": lambda: shared("peers/**/*sourcebundle*", "peers/**/*.src.zip"),
}


def _target(name: str) -> Target:
    sample, read = SAMPLES[name]
    more = _MORE.get(name, tuple)
    return Target(
        name,
        lambda: [sample, *more(), *corpus(name)],
        read,
        (FormatError,),
        shape=_SHAPES.get(name, Shape.BYTES),
        runs=250,
    )


def _packed(data: bytes) -> None:
    """What a file unpacks to stays within its bound."""
    target = io.BytesIO()
    decompress(io.BytesIO(data), target, max_bytes=_MOST)
    assert len(target.getvalue()) <= _MOST


def _name(data: bytes) -> None:
    """A name becomes readable in bounded length, or stays as it is."""
    name = data.decode("utf-8", "replace")
    for language in (None, "cpp", "rust", "swift"):
        readable = demangle(name, language)
        assert readable is None or 0 < len(readable) <= 4096


def _ids(data: bytes) -> None:
    """A debug id that is read is written so that the same is read again."""
    text = data.decode("utf-8", "replace")
    found = DebugId.parse(text)
    if found is not None:
        assert DebugId.parse(str(found)) == found
    dwarf_paths(text.split("\n"))
    parse_hex(text)


_ROWS = [name for name in SAMPLES if not name.startswith("packed")]
_PACKED = [name for name in SAMPLES if name.startswith("packed")]
_IDS = [
    b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    b"26f1d9c243ae4f5f9a0a0b1f3f6f7a11a",
    b"0x10",
    b"3249d99d-0c40-4931-8610-f4e4fb0b6936-1",
]

TARGETS = (
    *(_target(name) for name in _ROWS),
    Target("packed file", lambda: [SAMPLES[name][0] for name in _PACKED], _packed, (FormatError,), runs=400),
    Target("mangled name", lambda: [name.encode() for name in ITANIUM], _name,
           words=(b"_Z", b"N", b"E", b"S_", b"S0_", b"T_", b"I", b"J", b"?", b"@@", b"$s", b"17h", b"_R"), runs=500),
    Target("ids", lambda: [*_IDS, b"a.dSYM/Contents/Resources/DWARF/a"], _ids, (BadHex,), runs=800),
)  # fmt: skip
