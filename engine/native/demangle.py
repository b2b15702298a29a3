"""Readable names of functions: C++ (Itanium and Microsoft), Rust and Swift, by LLVM's demanglers in `pydemumble`.

The answer has a function's parameters but no return type, calling convention, access or `virtual`; hashes of Rust are
dropped. The language that a debug file gives wins over what a name looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pydemumble

from engine.native.expansion import may_demangle
from engine.native.memory import TwoGenerations
from engine.native.signatures import cut_itanium, cut_msvc, cut_swift

MAX_LENGTH = 4096
_ENTRY_BYTES = 250

_ITANIUM = re.compile(r"_{1,4}Z")
_RUST_LEGACY = re.compile(r"(_{1,3}ZN.*17)(h[0-9a-f]{16})(E(?:\.[\w.$@]*)?)\Z", re.DOTALL)
_RUST_V0 = re.compile(r"_{0,2}R[A-Z0-9]")
# The hash of the old scheme, and what LLVM appends to names it makes unique.
_RUST_NOISE = re.compile(r"(?:::h[0-9a-f]{16})?(?: \(\.[^()]*\))?\Z")
_OBJC = re.compile(r"[-+]\[")
_SWIFT = re.compile(r"_{0,2}(?:\$[sSe]|T0|T[A-Z]|Tt[A-Z])")
# A linker that merges identical functions adds the digest of what was merged.
_MERGED = re.compile(r"\$[0-9a-f]{32}\Z")


def _call(name: str) -> str | None:
    if not may_demangle(name):
        return None
    return pydemumble.demangle(name) or None


def _itanium(name: str) -> str | None:
    if not _ITANIUM.match(name):
        return None
    text = _call(name) or _call("_Z" + name.lstrip("_")[1:])
    return None if text is None else cut_itanium(text)


def _cpp(name: str) -> str | None:
    """C++ of both schemes. The demangler would take names that end like Rust's for Rust; here it is told otherwise."""
    if name.startswith(("?", "@?")):
        return _msvc(name)
    rust = _RUST_LEGACY.match(name)
    if rust is None:
        return _itanium(name)
    disguised = _itanium(f"{rust[1]}x{rust[2][1:]}{rust[3]}")
    return None if disguised is None else disguised.replace(f"::x{rust[2][1:]}", f"::{rust[2]}")


def _msvc(name: str) -> str | None:
    if name.startswith("??@"):
        return None
    text = _call(name.removeprefix("@"))
    return None if text is None or text.startswith("?") else cut_msvc(text)


def _rust(name: str) -> str | None:
    if not (_RUST_LEGACY.match(name) or _RUST_V0.match(name)):
        return None
    bare = "_" + name.lstrip("_") if name[0] == "_" else name
    text = _call(bare)
    return None if text is None else _RUST_NOISE.sub("", text)


def _swift(name: str) -> str | None:
    if not _SWIFT.match(name):
        return None
    text = _call(name)
    return None if text is None or text == name else cut_swift(text)


_Scheme = Callable[[str], str | None]
_BY_LANGUAGE: dict[str, tuple[_Scheme, ...]] = {
    "cpp": (_cpp,),
    "objcpp": (_cpp,),
    "rust": (_rust,),
    "swift": (_swift,),
    "unknown": (_rust, _cpp, _swift),
}


def demangle(name: str, language: str | None = None) -> str | None:
    """The readable form of a raw name, None when it has none or is longer than 4,096 characters.

    `language` is the wire's name of the function's language; None or `unknown` lets the form of the name decide.
    """
    if len(name) < 2 or _OBJC.match(name):
        return None
    bare = _MERGED.sub("", name)
    for scheme in _BY_LANGUAGE.get(language or "unknown", ()):
        text = scheme(bare)
        if text:
            return text if len(text) <= MAX_LENGTH and text != name else None
    return None


class Demangler:
    """Remembers readable names by raw name and language, in at most `limit` bytes."""

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self._known: TwoGenerations[tuple[str, str | None], str] = TwoGenerations(limit)

    def readable(self, name: str, language: str | None = None) -> str:
        """The readable form of `name`, or `name` itself when there is none."""
        key = (name, language)
        known = self._known.get(key)
        if known is None:
            known = demangle(name, language) or name
            self._known.put(key, known, len(name) + len(known) + _ENTRY_BYTES)
        return known
