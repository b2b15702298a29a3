"""The frames of Backtrace's reports in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from crashes.reports import loose
from crashes.reports.material import Given, Kind
from crashes.results import Frame
from crashes.scrubbing import scrub_text
from engine.modules import DebugId

LINES_AROUND: Final = 5
_SOURCE_LENGTH: Final = 1 << 20
_LANGUAGES: Final = {
    Kind.JAVASCRIPT: ("javascript", "js", "node", "nodejs", "typescript", "react-native", "electron", "hermes"),
    Kind.JVM: ("java", "jvm", "kotlin", "scala", "groovy", "clojure", "android"),
    Kind.NATIVE: ("native", "c", "c++", "cpp", "objc", "objective-c", "swift", "rust", "cocoa", "unreal", "crashpad"),
}
_KINDS: Final = {name: kind for kind, names in _LANGUAGES.items() for name in names}
_NAMES: Final = {"c#": "csharp", "dotnet": "csharp", ".net": "csharp", "golang": "go", "py": "python"}
_SYMBOLICATIONS: Final = {"sourcemap": Kind.JAVASCRIPT, "proguard": Kind.JVM, "minidump": Kind.NATIVE}
# Scripts of the engine itself: nobody has their maps.
_BUILT_IN: Final = ("node:", "internal/", "native ", "<anonymous>", "[native code]")
scrubbed: Final = lru_cache(maxsize=4096)(scrub_text)


@dataclass(frozen=True, slots=True)
class Language:
    """In which language a report says its program is written, and how its frames are to be symbolicated."""

    name: str = ""
    kind: Kind = Kind.SENT
    is_mapped: bool = False

    @classmethod
    def of(cls, lang: Any, symbolication: Any) -> Language:
        """By the fields of a report."""
        name = loose.text(lang, 32).strip().lower()
        name = _NAMES.get(name, name)
        asked = _SYMBOLICATIONS.get(loose.text(symbolication, 32).strip().lower())
        kind = asked or _KINDS.get(name, Kind.SENT)
        plain = {Kind.JAVASCRIPT: "javascript", Kind.JVM: "jvm", Kind.NATIVE: "native"}.get(kind)
        return cls(plain or name, kind, asked is Kind.JAVASCRIPT)


@dataclass(slots=True)
class FrameReader:
    """Reads the frames of one report; `scripts` are the debug ids of scripts that it came across, by path."""

    language: Language
    sources: Mapping[str, Any]
    has_modules: bool = False
    scripts: dict[str, str] = field(default_factory=dict)
    _split: dict[str, list[str]] = field(default_factory=dict)

    def read(self, given: Mapping[str, Any]) -> Given:
        """One frame."""
        address = loose.address(given.get("address"))
        function = scrubbed(loose.text(given.get("funcName"), 4096)) or None
        kind = self._kind(given, address, function)
        if kind is Kind.NATIVE:
            return self._native(given, address, function)
        if kind is Kind.JAVASCRIPT:
            return self._script(given, function)
        return self._jvm(given, function) if kind is Kind.JVM else self._sent(given, function, address)

    def _kind(self, given: Mapping[str, Any], address: int | None, function: str | None) -> Kind:
        if address is not None and (self.has_modules or function is None):
            return Kind.NATIVE if self.has_modules else Kind.SENT
        if self.language.kind is Kind.NATIVE:
            return Kind.SENT
        if given.get("debug_identifier") and address is None:
            return Kind.JAVASCRIPT
        return self.language.kind

    def _native(self, given: Mapping[str, Any], address: int | None, function: str | None) -> Given:
        made = self._frame(given, function)
        made.package = scrubbed(loose.text(given.get("library"), 4096)) or None
        made.trust = "scan" if loose.flag(given.get("guessed_frame")) else None
        return Given(made, Kind.NATIVE, "native", address)

    def _sent(self, given: Mapping[str, Any], function: str | None, address: int | None) -> Given:
        made = self._frame(given, function)
        if address is not None:
            made.instruction_addr = hex(address)
            made.package = scrubbed(loose.text(given.get("library"), 4096)) or None
            made.trust = "scan" if loose.flag(given.get("guessed_frame")) else None
        if function is None:
            made.status = "unknown_image" if address is not None else "missing"
        return Given(made, Kind.SENT, self.language.name, address)

    def _script(self, given: Mapping[str, Any], function: str | None) -> Given:
        made = self._frame(given, function)
        path = loose.first_text(given.get("library"), self._path(given))
        made.abs_path, made.filename = path or None, None
        built_in = not path or not made.lineno or path.startswith(_BUILT_IN)
        debug_id = DebugId.parse(loose.text(given.get("debug_identifier")))
        if debug_id is not None and path:
            self.scripts.setdefault(path, str(debug_id))
        return Given(made, Kind.SENT if built_in else Kind.JAVASCRIPT, "javascript")

    def _jvm(self, given: Mapping[str, Any], function: str | None) -> Given:
        made = self._frame(given, function)
        module, _, method = (function or "").rpartition(".")
        made.module, made.function = module or None, method or None
        return Given(made, Kind.JVM if module and method else Kind.SENT, "jvm")

    def _frame(self, given: Mapping[str, Any], function: str | None) -> Frame:
        path = loose.first_text(self._path(given), given.get("library"))
        made = Frame(
            "symbolicated",
            function,
            filename=scrubbed(base_name(path)) or None,
            abs_path=scrubbed(path) or None,
            lineno=loose.line(given.get("line")),
            colno=loose.line(given.get("column")),
        )
        self._add_lines(made, given)
        return made

    def _path(self, given: Mapping[str, Any]) -> str:
        """The path of a frame's source: of its entry in the report's sources, or of its key when it is a path."""
        key = loose.text(given.get("sourceCode"))
        entry = self.sources.get(key)
        if isinstance(entry, Mapping):
            return loose.text(entry.get("path"), 4096)
        return key[:4096] if "/" in key or "\\" in key or "." in key else ""

    def _add_lines(self, made: Frame, given: Mapping[str, Any]) -> None:
        key = loose.text(given.get("sourceCode"))
        entry = self.sources.get(key)
        if made.lineno is None or not isinstance(entry, Mapping):
            return
        start = loose.line(entry.get("startLine"))
        at = made.lineno - (1 if start is None else start)
        lines = self._lines(key, entry)
        if 0 <= at < len(lines):
            made.pre_context = lines[max(0, at - LINES_AROUND) : at]
            made.context_line = lines[at]
            made.post_context = lines[at + 1 : at + 1 + LINES_AROUND]

    def _lines(self, key: str, entry: Mapping[str, Any]) -> list[str]:
        """The lines of a source without secrets; none when a secret of several lines was in it."""
        if key not in self._split:
            text = loose.text(entry.get("text"), _SOURCE_LENGTH)
            lines = scrub_text(text).split("\n")
            whole = len(lines) == text.count("\n") + 1
            self._split[key] = [line.rstrip("\r")[: loose.TEXT_LENGTH] for line in lines] if text and whole else []
        return self._split[key]


def base_name(path: str) -> str:
    """The last part of a path or URL."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
