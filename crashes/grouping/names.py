"""Names of functions without what differs between builds of the same source.

Demanglers, debug formats and compilers write one function in many ways: with its parameters and without, as a clone of
itself, with the number that a lambda happened to get. What is left here is for comparing, not for showing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

NATIVE: Final = "native"
JAVASCRIPT: Final = "javascript"
JVM: Final = "jvm"
OTHER: Final = "other"

_FAMILIES: Final = {
    **dict.fromkeys(("", "native", "c", "cpp", "c++", "rust", "go", "swift", "objc", "cocoa", "d", "zig"), NATIVE),
    **dict.fromkeys(("javascript", "node", "js"), JAVASCRIPT),
    **dict.fromkeys(("jvm", "java", "kotlin", "scala", "android"), JVM),
}
_LONGEST: Final = 4_096
_CACHED: Final = 8_192
_DEEPEST: Final = 8

# Clones that compilers and linkers make of a function.
_CLONE: Final = re.compile(
    r"(?:\s*\[clone [^\]]*\]|\s*\(\.[\w.]+\)"
    r"|\.(?:cold|hot|part|constprop|isra|llvm|lto_priv|clone|localalias|resolver|resume|destroy|cleanup|actor|split)"
    r"(?:\.\d+)*|\.\d+|@plt|@@?[A-Z][A-Za-z_]*[\d.]+|@\d+)+$"
)
_RUST_HASH: Final = re.compile(r"::h[0-9a-f]{16}$")
_UNNAMED_SPACE: Final = re.compile(
    r"(?:\(anonymous namespace\)|[`'{]anonymous[ -]?(?:namespace)?['}]|_GLOBAL__N_1|\?A0x[0-9a-f]+)::"
)
_INLINE_SPACE: Final = re.compile(r"\bstd::(?:__cxx11|__1|__2|__ndk1|__Cr|__fs|_V2)::")
_TAG: Final = re.compile(r"\[abi:[^\]]*\]|\[(?:\.\.\.|go\.shape[^\]]*)\]")
_LAMBDA: Final = re.compile(r"<lambda_[0-9a-f]+>|'lambda\d*'|`lambda\w*'|\$_\d+")
_PREFIX: Final = re.compile(
    r"^(?:(?:non-)?virtual thunk to |specialized |merged |@objc |partial apply (?:forwarder )?for "
    r"|generic specialization <.*?> of |__GI_|imp_|__imp_)+"
)
_OPERATOR: Final = re.compile(r'operator(?:\(\)|\[\]|\s*(?:new|delete)(?:\[\])?|""\s*\w+|[-+*/%^&|~!=<>,]+|(?=\s))')
_QUALIFIERS: Final = re.compile(r"\s*(?:(?:const|volatile|noexcept|async|throws|&&?)\s*)*(?:->.*)?$", re.DOTALL)
_GO_NUMBERS: Final = re.compile(r"\.(func|gowrap)\d+(?:\.\d+)*")
_BLOCK: Final = re.compile(r"^__\d+(?=[-+]\[)|(?<=_block_invoke)_\d+$|(?<=_block_invoke)\.\d+$")
_SWIFT_CLOSURE: Final = re.compile(r"closure #\d+ .*?\bin ")
_KIND: Final = re.compile(r"[{\s]*([A-Za-z_.]*)")
# Stands for a space that separates nothing: within `<T as Trait>`.
_HARD_SPACE: Final = "\u00a0"
_PAIRS: Final = {"<": ">", "(": ")", "{": "}"}


def family(platform: str) -> str:
    """Whose rules hold for the frames of a platform or language: NATIVE, JAVASCRIPT, JVM or OTHER."""
    return _FAMILIES.get(platform.lower(), OTHER)


@lru_cache(maxsize=_CACHED)
def plain_name(name: str, kind: str) -> str:
    """`name` as functions of the family `kind` are compared; empty for what names none."""
    cut = name[:_LONGEST].strip()
    if kind == NATIVE:
        return _native(cut)
    if kind == JAVASCRIPT:
        return _javascript(cut)
    return _jvm(cut) if kind == JVM else _other(cut)


def _native(name: str) -> str:
    if name.startswith(("-[", "+[")) or "_block_invoke" in name:
        return _BLOCK.sub("", name)
    name = _RUST_HASH.sub("", _CLONE.sub("", name))
    name = _PREFIX.sub("", _INLINE_SPACE.sub("std::", _UNNAMED_SPACE.sub("", name)))
    name = _SWIFT_CLOSURE.sub("closure in ", name)
    name = _LAMBDA.sub("{lambda}", _TAG.sub("", name)).replace(") const::", ")::")
    bare = _GO_NUMBERS.sub(r".\1", _without_arguments(name))
    return (_last_word(bare.strip()).replace(_HARD_SPACE, " ") or name).strip()


def _last_word(name: str) -> str:
    """Without the type that is returned, which stands in front where the function is a template."""
    if " in " in name or " of " in name:
        return re.sub(r" ?#\d+", "", name)
    head, operator, tail = name.partition("operator")
    return head.lstrip().rpartition(" ")[2] + operator + tail


def _without_arguments(name: str, depth: int = 0) -> str:
    """Without the arguments of templates and functions."""
    kept: list[str] = []
    at = 0
    while at < len(name):
        char = name[at]
        operator = _OPERATOR.match(name, at) if char == "o" and not (kept and _is_word(kept[-1][-1])) else None
        if operator is not None:
            kept.append(re.sub(r"\s+", " ", operator[0]))
            at = operator.end()
        elif char in _PAIRS:
            end = _closing(name, at)
            kept.append(_bracketed(name, at, end, kept, depth))
            at = end
            if char == "(" and not kept[-1] and _QUALIFIERS.match(name, at):
                break
        else:
            kept.append(char)
            at += 1
    return "".join(kept)


def _bracketed(name: str, at: int, end: int, kept: list[str], depth: int) -> str:
    """What stays of the brackets from `at` to `end`."""
    inner = name[at + 1 : end - 1]
    if name[at] == "{":
        found = _KIND.match(inner)
        return f"{{{found[1] if found else ''}}}"
    if name[at] == "(":
        # The receiver of a method of Go.
        return f"({inner})" if kept and kept[-1] == "." and inner.startswith("*") else ""
    if depth < _DEEPEST and (at == 0 or inner.startswith("impl ")):
        return f"<{_without_arguments(inner, depth + 1)}>".replace(" ", _HARD_SPACE)
    # Rust writes the arguments of functions as `name::<T>`.
    while kept and kept[-1] == ":":
        kept.pop()
    return ""


def _closing(name: str, at: int) -> int:
    """Where the bracket that opens at `at` has closed; the end of the name where it never does."""
    stack: list[str] = []
    for place in range(at, len(name)):
        char = name[place]
        if char in _PAIRS:
            stack.append(_PAIRS[char])
        elif stack and char == stack[-1] and not (char == ">" and name[place - 1] == "-"):
            stack.pop()
            if not stack:
                return place + 1
    return len(name)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


_JS_NOTHING: Final = re.compile(
    r"^(?:<anonymous>|\(?anonymous(?: function)?\)?|\?|\{anonymous\}|Object\.<anonymous>)?$"
)
_JS_NOISE: Final = re.compile(
    r"^(?:async\*? |new |get |set |bound )+|^(?:Object|Module|Function|exports|window|global|globalThis|self)\."
    r"|\s*\[as [^\]]*\]$|(?:/<|<)+$|\$\d+$"
)


def _javascript(name: str) -> str:
    if _JS_NOTHING.match(name):
        return ""
    while (shorter := _JS_NOISE.sub("", name)) != name:
        name = shorter
    return "" if _JS_NOTHING.match(name) else name


_JVM_NUMBERS: Final = (
    (re.compile(r"\$\$Lambda(?:[$/][\w$/]*)?"), "$$Lambda"),
    (re.compile(r"(\$\$\w+By\w+\$\$)[0-9a-f]+"), r"\1"),
    (re.compile(r"(Generated\w*Accessor|\$Proxy|jdk\.proxy)\d+"), r"\1"),
    (re.compile(r"(lambda\$[\w$]+?|access|\$)\$?\d+(?!\w)"), r"\1"),
)


def _jvm(name: str) -> str:
    for pattern, replacement in _JVM_NUMBERS:
        name = pattern.sub(replacement, name)
    return name


_OTHER_NUMBERS: Final = (
    (re.compile(r"(?<=>)([a-z])__\d+(?:_\d+)?"), r"\1__"),
    (re.compile(r"\bblock \(\d+ levels\) in "), "block in "),
    (re.compile(r"\{closure[^}]*\}"), "{closure}"),
    (re.compile(r"\.(func)\d+(?:\.\d+)*"), r".\1"),
)


def _other(name: str) -> str:
    for pattern, replacement in _OTHER_NUMBERS:
        name = pattern.sub(replacement, name)
    return name
