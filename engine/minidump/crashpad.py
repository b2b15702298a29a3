"""Crashpad's stream: ids of report and client, and annotations of the process and of its modules.

Structures after Crashpad's documentation of its extensions (minidump_extensions.h: MinidumpCrashpadInfo).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from engine.minidump.codeview import guid
from engine.minidump.image import Image, Layout, Unreadable

STREAM = 0x43500001
# All annotations of a dump together: entries may share texts, and lists may lie in the same place.
MAX_ANNOTATIONS = 1 << 16
TEXT = 1
_INFO = Layout("I16s16sIIII")
_MODULE = Layout("IIIIIII")
_LINK = Layout("III")
_PAIR = Layout("II")
_ONE = Layout("I")
_OBJECT = Layout("IHHI")


@dataclass(frozen=True, slots=True)
class AnnotationObject:
    """A typed annotation. Type 1 is UTF-8 text, everything else is the program's own."""

    name: str
    type: int
    value: bytes

    @property
    def text(self) -> str | None:
        return self.value.decode("utf-8", "replace") if self.type == TEXT else None


@dataclass(frozen=True, slots=True)
class ModuleAnnotations:
    """What one module says about itself: pairs, lines, and objects."""

    simple: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    objects: tuple[AnnotationObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Crashpad:
    """Annotations of the process, and of its modules by their index in the dump's own module list."""

    report_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    modules: dict[int, ModuleAnnotations] = field(default_factory=dict)


def read_crashpad(image: Image, at: int, size: int) -> Crashpad:
    """Unreadable when a list does not lie in the file."""
    if size < _INFO.size:
        raise Unreadable("Crashpad's information is too short")
    _, report, client, simple_size, simple_at, modules_size, modules_at = image.unpack(_INFO, at)
    reader = _Reader(image)
    return Crashpad(
        guid(image, report),
        guid(image, client),
        reader.dictionary(simple_size, simple_at),
        {
            index: reader.module(module_size, module_at)
            for index, module_size, module_at in reader.rows(modules_size, modules_at, _LINK)
        },
    )


class _Reader:
    """Counts what it reads, so that lists which refer to each other's entries stay bounded."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._left = MAX_ANNOTATIONS

    def rows(self, size: int, at: int, layout: Layout) -> list[tuple[int, ...]]:
        """A counted list; none when it has no size."""
        if not size:
            return []
        count = self._image.u32(at)
        self._left -= count
        if self._left < 0:
            raise Unreadable("there are too many annotations")
        return list(self._image.rows(layout, at + 4, count))

    def dictionary(self, size: int, at: int) -> dict[str, str]:
        return {self._image.utf8(key): self._image.utf8(value) for key, value in self.rows(size, at, _PAIR)}

    def module(self, size: int, at: int) -> ModuleAnnotations:
        if size < _MODULE.size:
            raise Unreadable("a module's annotations are too short")
        _, lines_size, lines_at, simple_size, simple_at, objects_size, objects_at = self._image.unpack(_MODULE, at)
        return ModuleAnnotations(
            self.dictionary(simple_size, simple_at),
            tuple(self._image.utf8(line) for (line,) in self.rows(lines_size, lines_at, _ONE)),
            tuple(self._object(*row) for row in self.rows(objects_size, objects_at, _OBJECT)),
        )

    def _object(self, name: int, type: int, _: int, value: int) -> AnnotationObject:
        return AnnotationObject(self._image.utf8(name), type, self._image.blob(value))
