"""The exception stream: which thread crashed, and what was thrown or raised."""

from __future__ import annotations

from engine.minidump.contexts import read_context
from engine.minidump.image import Image, Layout, Unreadable
from engine.minidump.model import Cpu, ExceptionRecord, Registers

STREAM = 6
MAX_PARAMETERS = 15
_EXCEPTION = Layout("I4xIIQQI4x15QII")


def read_exception(image: Image, at: int, size: int, cpu: Cpu) -> ExceptionRecord:
    """Unreadable when the stream is too short. A context that cannot be read costs the registers only."""
    if size < _EXCEPTION.size:
        raise Unreadable("the exception is too short")
    thread, code, flags, _, address, count, *rest = image.unpack(_EXCEPTION, at)
    parameters = tuple(rest[: min(count, MAX_PARAMETERS)])
    return ExceptionRecord(thread, code, flags, address, parameters, _registers(image, rest[-1], rest[-2], cpu))


def _registers(image: Image, at: int, size: int, cpu: Cpu) -> Registers | None:
    try:
        return read_context(image, at, size, cpu)
    except Unreadable:
        return None
