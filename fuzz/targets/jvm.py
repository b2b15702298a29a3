"""Mapping files of ProGuard and R8, and stacks made readable with them."""

from __future__ import annotations

from debugfiles.identify import is_proguard
from engine.formats.bytewise import FormatError
from engine.jvm.descriptors import parse_signature
from engine.jvm.mapping import Mapping, check_mapping
from engine.jvm.stacks import Retracer
from engine.jvm.wire import JvmException, JvmFrame, JvmStacktrace
from fuzz.seeds import corpus, files, shared
from fuzz.target import Shape, Target
from tests.engine.jvm import mappings

_WORDS = (
    b"-> : 1:3:void 1:1: :40:42 int[] java.lang.String () (int,int) a b <init> # "
    b'{"id":"sourceFile","fileName":"A.kt"} {"id":"com.android.tools.r8.synthesized"} '
    b'{"id":"com.android.tools.r8.outline"} {"id":"com.android.tools.r8.outlineCallsite","positions":{"1":4}} '
    b'{"id":"com.android.tools.r8.rewriteFrame","conditions":["throws(Ljava/lang/E;)"],"actions":'
    b'["removeInnerFrames(1)"]} '
    b"9999999999 -1 \xe2\x80\x8b"
).split(b" ")
_MOST_FRAMES = 200_000


def _mapping(data: bytes) -> None:
    """Every class with every line is read; a stack of it is as long as the mapping says, and no longer."""
    is_proguard(data)
    mapping = Mapping(data)
    for name in mapping.classes[:20]:
        known = mapping.find(name)
        assert known is not None
        assert mapping.find_original(mapping.original_class(name) or "") is not None
        for method in list(known.methods)[:5]:
            frames = [JvmFrame(method, name, at, lineno=line) for at, line in enumerate((None, 0, 1, 2**32 - 1))]
            stack = JvmStacktrace(frames, JvmException("E", "java.lang"))
            for first in (False, True):
                made = Retracer([mapping], "com.").stack(stack, caller_first=first)
                assert len(made.frames) <= _MOST_FRAMES
    check_mapping(memoryview(data))


def _signature(data: bytes) -> None:
    found = parse_signature(data.decode("utf-8", "replace"), lambda name: name.upper() if len(name) > 2 else None)
    assert found is None or str(found).startswith("(")


def _seeds() -> list[bytes]:
    written = [text.encode() for text in vars(mappings).values() if isinstance(text, str) and " -> " in text]
    return [
        *written,
        *files("jvm/*/mapping*.txt", most=64 << 10),
        *shared("peers/symbolic/proguard.txt", most=16 << 10),
        *corpus("mapping"),
    ]


TARGETS = (
    Target("jvm mapping", _seeds, _mapping, (FormatError,), shape=Shape.LINES, words=_WORDS, runs=200),
    Target("jvm signature", lambda: [b"(La/b;[I[[Ljava/lang/String;J)V", b"()La;", b"(V)V"], _signature,
           words=(b"[", b"L", b";", b"(", b")", b"V", b"[" * 256), runs=1500),
)  # fmt: skip
