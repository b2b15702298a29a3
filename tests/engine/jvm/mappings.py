"""Mapping files written for the rules of ProGuard and R8, and short ways to ask them."""

from __future__ import annotations

from engine.jvm.mapping import Mapping
from engine.jvm.retrace import Place, retrace
from engine.jvm.stacks import Retracer
from engine.jvm.wire import JvmException, JvmFrame, JvmStacktrace


def mapping(text: str) -> Mapping:
    return Mapping(text.encode())


def lines_of(text: str, owner: str, method: str, line: int | None, parameters: str | None = None) -> list[tuple]:
    """(class, method, line) of every frame behind one place, innermost first."""
    found = retrace(mapping(text), Place(owner, method, line, parameters))
    assert found is not None
    return [(frame.owner, frame.method, frame.line) for frame in found.frames]


def frame(module: str, function: str, lineno: int | None = None, **more: object) -> JvmFrame:
    return JvmFrame(function, module, more.pop("index", 0), lineno=lineno, **more)


def walked(text: str, *frames: JvmFrame, exception: JvmException | None = None, **options: object) -> list[JvmFrame]:
    """The frames of one stack, innermost first, made readable."""
    retracer = Retracer([mapping(text)], **options)
    return retracer.stack(JvmStacktrace(list(frames), exception), caller_first=False).frames


def said(frames: list[JvmFrame]) -> list[tuple]:
    return [(each.module, each.function, each.lineno) for each in frames]


INLINES = """\
com.acme.Shop -> a.b:
    int stock -> a
    1:3:void open(java.lang.String):40:42 -> a
    4:4:void com.acme.Lock.turn(int):7:7 -> a
    4:4:void com.acme.Door.push():21 -> a
    4:4:void open(java.lang.String):45 -> a
    5:9:int count() -> a
    void close() -> b
    boolean isOpen() -> c
    void lock(int) -> c
com.acme.Lock -> c:
# {"id":"sourceFile","fileName":"Locks.kt"}
    1:1:void turn(int):7:7 -> a
"""
