"""What somebody hands over to be symbolicated at once, and what kind of thing it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from crashes.loose_json import BadJson, read_json
from crashes.reports.content import MOST_JSON_BYTES
from engine.errors import SymbolsvcError


class What(StrEnum):
    """The kinds that can be told apart; AUTO: find out."""

    AUTO = "auto"
    MINIDUMP = "minidump"
    APPLE = "apple"
    STACKS = "stacks"
    BACKTRACE = "backtrace"
    EVENT = "event"
    JAVASCRIPT = "javascript"
    JVM = "jvm"
    DEBUGGER = "debugger"


NAMES: Final[Mapping[What, str]] = {
    What.AUTO: "Find out by itself",
    What.MINIDUMP: "Minidump",
    What.APPLE: "Apple crash report (.crash, .ips, .plcrash)",
    What.STACKS: "Stacks in JSON, as for /symbolicate",
    What.BACKTRACE: "Backtrace report in JSON",
    What.EVENT: "Sentry event in JSON",
    What.JAVASCRIPT: "JavaScript stack",
    What.JVM: "Java or Kotlin stack trace",
    What.DEBUGGER: "Stack of lldb or gdb, with its list of images",
}
_BINARY: Final = ((b"MDMP", What.MINIDUMP), (b"PMDM", What.MINIDUMP), (b"plcrash", What.APPLE))
_LOOKED_AT: Final = 1 << 20
# Each is the mark of one kind: the first that is found decides.
_MARKS: Final = (
    (What.APPLE, re.compile(r"^(?:Incident Identifier|Exception Type|Report Version):", re.MULTILINE)),
    (What.DEBUGGER, re.compile(r"^[ \t]*(?:\* )?(?:frame )?#\d{1,5}:?[ \t]+0x[0-9a-fA-F]{1,16}\b", re.MULTILINE)),
    (What.JAVASCRIPT, re.compile(r":\d{1,9}:\d{1,9}\)?$", re.MULTILINE)),
    (What.JVM, re.compile(r"^[ \t]*at (?:[^\s()/]{0,200}/)*[\w.$<>-]{1,1000}\([^()\n]{0,300}\)$", re.MULTILINE)),
)


class NotReadable(SymbolsvcError):
    """What was handed over is nothing that can be symbolicated. `field` is the form's that it stands in."""

    code = "not_readable"

    def __init__(self, message: str, field: str = "text") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Given:
    """What was handed over: its bytes, and what somebody said of it. `mapping`: the UUID of a ProGuard mapping."""

    content: memoryview = field(repr=False)
    what: What = What.AUTO
    release: str = ""
    dist: str = ""
    mapping: UUID | None = None

    def text(self) -> str:
        """As text; what is no UTF-8 is replaced. Raises NotReadable for what is too large to be a text."""
        if len(self.content) > MOST_JSON_BYTES:
            raise NotReadable(f"Of texts at most {MOST_JSON_BYTES >> 20} MiB are read.")
        return bytes(self.content).decode("utf-8-sig", "replace")


def find_out(content: memoryview) -> What:
    """What it is, by its content. Raises NotReadable with what would be understood."""
    head = bytes(content[:16])
    for mark, what in _BINARY:
        if head.startswith(mark):
            return what
    text = bytes(content[:_LOOKED_AT]).decode("utf-8-sig", "replace")
    if text.lstrip().startswith(("{", "[")):
        return _of_json(content, text)
    lines = text.replace("\r", "")
    for what, pattern in _MARKS:
        if pattern.search(lines):
            return what
    raise NotReadable(
        "This is none of the kinds that are known by their looks. Choose below what it is, or paste it whole:"
        " a stack needs its lines with addresses or with file:line:column."
    )


def _of_json(content: memoryview, text: str) -> What:
    # A report of Apple's has a line of JSON before the rest of it.
    first, _, rest = text.strip().partition("\n")
    if '"bug_type"' in first and rest.lstrip().startswith("{"):
        return What.APPLE
    if len(content) > MOST_JSON_BYTES:
        raise NotReadable(f"Of JSON at most {MOST_JSON_BYTES >> 20} MiB are read.")
    try:
        value = read_json(content)
    except BadJson:
        raise NotReadable(
            "It begins like JSON and is none. Paste it whole, from the first brace to the last."
        ) from None
    return _by_members(value if isinstance(value, dict) else {})


def _by_members(value: Mapping[str, Any]) -> What:
    if "bug_type" in value or "usedImages" in value:
        return What.APPLE
    if "stacktraces" in value:
        return What.STACKS
    if any(name in value for name in ("exception", "event_id", "debug_meta", "stacktrace")):
        return What.EVENT
    if any(name in value for name in ("threads", "mainThread", "attributes", "body")):
        return What.BACKTRACE
    raise NotReadable(
        "This JSON has none of the members that tell what it is: `stacktraces` and `modules` for stacks, `threads` for"
        " a Backtrace report, `exception` for a Sentry event."
    )
