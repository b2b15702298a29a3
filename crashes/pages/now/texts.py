"""Stacks that people copy from consoles and debuggers, read as events of Sentry's, which reports are read from anyway.

An event lists frames oldest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from crashes.pages.now.given import Given, NotReadable

_MOST_LINES: Final = 20_000
_LONGEST: Final = 8192
# Chrome, Edge and Node: `at f (https://host/app.js:1:234)`, `at async f (…)`, `at https://host/app.js:1:234`.
_V8: Final = re.compile(r"at (?:async )?(?:(?P<function>[^()]*?) ?\((?P<in>.*)\)|(?P<bare>\S+))")
# Firefox and Safari: `f@https://host/app.js:1:234`.
_GECKO: Final = re.compile(r"(?P<function>[^@]*)@(?P<place>\S+|\[native code\])")
# In place of a file.
_NOWHERE: Final = ("<anonymous>", "[native code]", "native", "index ", "node:")
_PLACE: Final = re.compile(r"(?P<path>.+?):(?P<line>\d{1,9}):(?P<column>\d{1,9})")
# `at loader/java.base@17/pkg.Type.method(File.java:12)`.
_JAVA: Final = re.compile(
    r"at (?:[^\s()/]*/)*(?P<type>[^\s()/]+)\.(?P<method>[^\s().]+)\((?P<file>[^():]*)(?::(?P<line>\d{1,9}))?\)"
)
_JAVA_FAILURE: Final = re.compile(
    r"(?:Exception in thread \"[^\"]*\" |Caused by: )?(?P<type>[\w$]+(?:\.[\w$]+)*)(?:: (?P<value>.*))?"
)
_SCRIPT_FAILURE: Final = re.compile(
    r"(?:Uncaught )?(?:\(in promise\) )?(?P<type>[A-Za-z_$][\w$.]*)(?:: (?P<value>.*))?"
)
# lldb: `frame #3: 0x0000000100003f40 app`main`; gdb: `#3  0x00005555 in main ()`.
_ADDRESS: Final = re.compile(r"(?:\* )?(?:frame )?#\d{1,5}:?\s+(?P<address>0x[0-9a-fA-F]{1,16})\b.*")
# lldb's `image list`: `[  0] 3E0A4A51-… 0x0000000100000000 /path/of/it`.
_IMAGE: Final = re.compile(
    r"\[\s*\d{1,5}\]\s+(?P<id>[0-9A-Fa-f-]{16,64})\s+(?P<start>0x[0-9a-fA-F]{1,16})\s+(?P<path>\S.*)"
)
_THREAD: Final = re.compile(r"(?:\* )?[Tt]hread #?(?P<id>\d{1,9})\b.*")
_UUID_DIGITS: Final = 32


def script_event(given: Given) -> dict[str, Any]:
    """A JavaScript stack. Raises NotReadable for one without a position."""
    failure, frames = ("", ""), []
    for line in _lines(given):
        frame = _script_frame(line)
        if frame is not None:
            frames.append(frame)
        elif not frames and failure == ("", "") and (match := _SCRIPT_FAILURE.fullmatch(line)):
            failure = match["type"], match["value"] or ""
    if not any("lineno" in frame for frame in frames):
        raise NotReadable(
            "No line of it is a frame of a JavaScript stack: `at f (https://host/app.js:1:234)` or"
            " `f@https://host/app.js:1:234`. Both line and column are needed."
        )
    event = {"platform": "javascript", "release": given.release, "dist": given.dist}
    return {**event, **_one_exception(*failure, frames)}


def _script_frame(line: str) -> dict[str, Any] | None:
    match = _V8.fullmatch(line)
    if match is not None:
        function, place = match["function"] or "", match["in"] or match["bare"] or ""
    else:
        match = _GECKO.fullmatch(line)
        if match is None:
            return None
        function, place = match["function"], match["place"]
    # Of code made by `eval` the innermost place is the one of a file.
    found = _PLACE.fullmatch(place.rpartition("(")[2].rstrip(")"))
    if found is None:
        known = function and place.startswith(_NOWHERE)
        return {"function": function, "filename": place} if known else None
    return {
        "function": function or None,
        "abs_path": found["path"],
        "lineno": int(found["line"]),
        "colno": int(found["column"]),
    }


def jvm_event(given: Given) -> dict[str, Any]:
    """A stack trace of the JVM, with what caused it. Raises NotReadable for one without a frame."""
    values: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    for line in _lines(given):
        match = _JAVA.fullmatch(line)
        if match is not None:
            if not values:
                values.append(_exception("", "", frames))
            frames.append(_java_frame(match))
        elif not line.startswith("..."):
            failed = _JAVA_FAILURE.fullmatch(line)
            if failed is not None and (not frames or "Caused by:" in line):
                frames = []
                module, _, kind = failed["type"].rpartition(".")
                values.append({**_exception(kind, failed["value"] or "", frames), "module": module})
    values = [value for value in values if value["stacktrace"]["frames"]]
    if not values:
        raise NotReadable("No line of it is a frame of a Java stack trace: `at a.b.c(SourceFile:12)`.")
    for value in values:
        value["stacktrace"]["frames"].reverse()
    images = [] if given.mapping is None else [{"type": "proguard", "uuid": str(given.mapping)}]
    return {
        "platform": "java",
        "release": given.release,
        "debug_meta": {"images": images},
        "exception": {"values": values[::-1]},
    }


def _java_frame(match: re.Match[str]) -> dict[str, Any]:
    return {
        "module": match["type"],
        "function": match["method"],
        "filename": match["file"],
        "lineno": None if match["line"] is None else int(match["line"]),
    }


def debugger_event(given: Given) -> dict[str, Any]:
    """The stacks of `bt` or `bt all`, and what `image list` says. Raises NotReadable where one of both is lacking."""
    images: list[dict[str, Any]] = []
    threads: list[dict[str, Any]] = []
    for line in _lines(given):
        if (image := _IMAGE.fullmatch(line)) is not None:
            images.append(_image(image))
        elif (frame := _ADDRESS.fullmatch(line)) is not None:
            if not threads:
                threads.append(_thread(""))
            threads[-1]["stacktrace"]["frames"].insert(0, {"instruction_addr": frame["address"]})
        elif (thread := _THREAD.fullmatch(line)) is not None:
            threads.append(_thread(thread["id"]))
    threads = [thread for thread in threads if thread["stacktrace"]["frames"]]
    if not threads:
        raise NotReadable("No line of it is a frame with an address: `frame #0: 0x0000000100003f40 app`.")
    if not images:
        raise NotReadable(
            "The images are lacking: add below the stack what lldb's `image list` prints: ids, addresses and paths."
        )
    return {"platform": "native", "debug_meta": {"images": images}, "threads": {"values": threads}}


def _thread(id: str) -> dict[str, Any]:
    return {"id": id, "stacktrace": {"frames": []}}


def _image(match: re.Match[str]) -> dict[str, Any]:
    """An id of 16 bytes is that of a Mach-O file, a longer one a build id."""
    digits = match["id"].replace("-", "").lower()
    image = {"image_addr": match["start"], "code_file": match["path"]}
    if len(digits) == _UUID_DIGITS:
        return {**image, "type": "macho", "debug_id": match["id"]}
    return {**image, "type": "elf", "code_id": digits}


def _one_exception(kind: str, value: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    return {"exception": {"values": [_exception(kind, value, frames[::-1])]}}


def _exception(kind: str, value: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "value": value, "stacktrace": {"frames": frames}}


def _lines(given: Given) -> Iterator[str]:
    lines = given.text().replace("\r\n", "\n").split("\n")
    if len(lines) > _MOST_LINES:
        raise NotReadable(f"Of a stack at most {_MOST_LINES:,} lines are read.")
    stripped = (line.strip() for line in lines)
    return (line for line in stripped if 0 < len(line) <= _LONGEST)
