"""The frames of Sentry's events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crashes.reports import loose
from crashes.reports.event_images import Images
from crashes.reports.json_frames import base_name, scrubbed
from crashes.reports.material import Given, GivenStack, Kind
from crashes.results import Frame

_JAVASCRIPT: Final = frozenset({"javascript", "node"})
_NATIVE: Final = frozenset({"native", "cocoa", "c", "objc", "swift", "csharp", "rust"})
_TRUSTS: Final = frozenset({"none", "scan", "cfiscan", "fp", "cfi", "prewalked", "context"})
_BUILT_IN: Final = ("node:", "internal/", "native ", "<anonymous>", "[native code]")
_RELATIVE: Final = re.compile(r"rel:(\d{1,6})", re.ASCII)
_CONTEXT: Final = 5
_LANGUAGES: Final = {"node": "javascript", "java": "jvm", "cocoa": "native", "c": "native"}


@dataclass(frozen=True, slots=True)
class EventFrames:
    """Reads the frames of one event, of whose platform they are unless they name another."""

    platform: str
    images: Images

    def stack(self, trace: Mapping[str, Any], id: str) -> GivenStack:
        """A stack, innermost frame first."""
        frames = [self._frame(given) for given in loose.items(trace.get("frames"))][::-1]
        registers = loose.mapping(trace.get("registers"))
        found = {loose.text(name, 32): loose.address(value) for name, value in list(registers.items())[:256]}
        return GivenStack(
            frames,
            id,
            registers={name: hex(value) for name, value in found.items() if value is not None},
            adjustment=loose.text(trace.get("instruction_addr_adjustment"), 32),
        )

    def _frame(self, given: Mapping[str, Any]) -> Given:
        platform = loose.text(given.get("platform"), 32).strip().lower() or self.platform
        made = _read(given)
        address = loose.address(given.get("instruction_addr"))
        kind = self._kind(platform, made, address)
        if kind is Kind.NATIVE:
            made.addr_mode = self._addr_mode(given)
        elif made.function is None:
            made.status = "unknown_image" if address is not None else "missing"
        if kind is Kind.JAVASCRIPT:
            made.filename = None if made.filename == made.abs_path else made.filename
        return Given(made, kind, _LANGUAGES.get(platform, platform), address)

    def _kind(self, platform: str, made: Frame, address: int | None) -> Kind:
        if address is not None and self.images.native and (platform in _NATIVE or made.function is None):
            return Kind.NATIVE
        path = made.abs_path or ""
        if platform in _JAVASCRIPT and path and made.lineno and not path.startswith(_BUILT_IN):
            return Kind.JAVASCRIPT
        if platform == "java" and made.module and made.function:
            return Kind.JVM
        return Kind.SENT

    def _addr_mode(self, given: Mapping[str, Any]) -> str | None:
        """`rel:` and the index among the native images, of which the event lists others too."""
        found = _RELATIVE.fullmatch(loose.text(given.get("addr_mode"), 32))
        place = self.images.places.get(int(found[1])) if found else None
        return None if place is None else f"rel:{place}"


def _read(given: Mapping[str, Any]) -> Frame:
    path = loose.first_text(given.get("abs_path"), given.get("filename"))
    filename = loose.text(given.get("filename"), 4096) or base_name(path)
    trust = loose.text(given.get("trust"), 16)
    context = given.get("context_line")
    address = loose.address(given.get("instruction_addr"))
    return Frame(
        "symbolicated",
        scrubbed(loose.text(given.get("function"), 4096)) or None,
        scrubbed(loose.text(given.get("symbol"), 4096)) or None,
        loose.text(given.get("module"), 1024) or None,
        filename or None,
        path[:4096] or None,
        loose.line(given.get("lineno")),
        loose.line(given.get("colno")),
        package=loose.text(given.get("package"), 4096) or None,
        instruction_addr=None if address is None else hex(address),
        trust=trust if trust in _TRUSTS else None,
        in_app=loose.flag(given.get("in_app")),
        pre_context=[scrubbed(line) for line in loose.lines(given.get("pre_context"))][-_CONTEXT:],
        context_line=scrubbed(context[: loose.TEXT_LENGTH]) if isinstance(context, str) else None,
        post_context=[scrubbed(line) for line in loose.lines(given.get("post_context"))][:_CONTEXT],
    )
