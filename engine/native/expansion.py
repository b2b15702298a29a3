"""How long a mangled name may become: a guard against names made to exhaust memory.

Mangling schemes refer back to earlier parts of a name, so that 300 characters can stand for terabytes, and the
demanglers write out all of it. A reference can at most double what is there; where that bound does not settle it,
names of the Itanium scheme are measured by walking their types without writing them.
"""

from __future__ import annotations

import re

from engine.native.itanium_walk import measure

MAX_INPUT = 16 * 1024
# What is still written in a few milliseconds. A name that may become longer stays as it is.
MAX_OUTPUT = 1 << 21

_ITANIUM_REFERENCE = re.compile(r"S[0-9A-Z]*_|T[0-9A-Z]*_|fL?[0-9p]*_|Dp")
_RUST_REFERENCE = re.compile(r"B[0-9a-zA-Z]*_")
_SWIFT_REFERENCE = re.compile(r"A[0-9a-zA-Z]|[qQx]")
# Digits that surely refer to nothing: the ids of anonymous namespaces and lambdas.
_MSVC_NOISE = re.compile(r"\?A0x[0-9a-f]{8}|<lambda_[0-9a-f]{32}>")


def may_demangle(name: str) -> bool:
    """Whether the demangled form of `name` is sure to be of a size that can be written."""
    if len(name) > MAX_INPUT:
        return False
    if len(name) << min(_count_references(name), 64) <= MAX_OUTPUT:
        return True
    if name.lstrip("_").startswith("Z") and name.startswith("_"):
        return measure(name[name.index("Z") + 1 :], MAX_OUTPUT) <= MAX_OUTPUT
    return False


def _count_references(name: str) -> int:
    if name.startswith(("?", "@?")):
        return sum(map(str.isdigit, _MSVC_NOISE.sub("", name)))
    if name.startswith(("_R", "__R")):
        return len(_RUST_REFERENCE.findall(name))
    if name.lstrip("_").startswith("Z"):
        return len(_ITANIUM_REFERENCE.findall(name))
    return len(_SWIFT_REFERENCE.findall(name))
