"""Cutting demangled signatures down to what the wire shows: the qualified name with its parameters.

LLVM's demanglers print return types, calling conventions and access as well. Everything here works on a *flat* copy
of the text, in which whatever stands in brackets or quotes is blanked out, so that a search sees the top level alone.
"""

from __future__ import annotations

import re

_BLANK = "\0"
_OPERATOR = (
    r"(?<![\w$])operator(?:"
    r'""\s?\w+'
    r"|\s(?:new|delete)(?:\[\])?(?![\w$])|\sco_await(?![\w$])"
    r"|(?:\(\)|\[\]|<=>|->\*|<<=|>>=|->|<<|>>|[-+*/%^&|=!<>]=|&&|\|\||\+\+|--|[-+*/%^&|~!=<>,])\s?(?=[<(\[]|\Z)"
    r")"
)
_BRACKETS = re.compile(rf"(?P<operator>{_OPERATOR})|(?P<arrow>->)|(?P<open>[<(\[{{`])|(?P<close>[>)\]}}])|(?P<tick>')")
_CLOSERS = {"<": ">", "(": ")", "[": "]", "{": "}", "`": "'", "'": "'"}

_CONVERSION = re.compile(r"(?<![\w$\0])operator ")
_SPECIAL = re.compile(
    r"(?:(?:non-virtual |virtual |covariant return )?thunk to |guard variable for |reference temporary #\d+ for "
    r"|invocation function for block in |(?:thread-local (?:wrapper|initialization) routine|TLS (?:init|wrapper) "
    r"function) for |initializer for module )"
)
# What these name is no function: nothing of theirs has a return type.
_DATA = re.compile(r"(?:construction vtable|vtable|VTT|typeinfo|typeinfo name|template parameter object) for ")
_CLONE = re.compile(r" \((\.[^()]*)\)\Z")
_QUALIFIERS = re.compile(r"(?: ?(?:const|volatile|restrict|noexcept|&&?)(?![\w$]))*(?: requires .*)?\Z")
_ENCLOSING = re.compile(r" (?:const|volatile|&&?)(?= (?:const|volatile|&)|::)")
_POINTER = re.compile(r"\((?:[\w:<>, ]+::)?[*&]+(?: ?const)? ?(?=[^)])")

_CONVENTION = re.compile(r"\b__(?:cdecl|stdcall|thiscall|fastcall|vectorcall|clrcall|pascal|regcall|swiftcall)\b ?")
_KEYWORDS = re.compile(r"\b__(?:ptr64|restrict|unaligned)\b ?")
_ACCESS = re.compile(r"\A(?:\[thunk\]: ?)?(?:(?:public|protected|private): )?(?:(?:static|virtual) )*")
_SWIFT_RESULT = re.compile(r" -> .*?(?= in \b| of \b|\Z)")


def flatten(text: str) -> str:
    """`text` with everything inside brackets and quotes blanked, bracket characters included; same length.

    The names of operators are no brackets. Text that does not balance is blanked to its end.
    """
    pieces: list[str] = []
    stack: list[str] = []
    done = 0
    for match in _BRACKETS.finditer(text):
        kind = match.lastgroup
        start, end = match.span()
        deep = bool(stack)
        pieces.append(_BLANK * (start - done) if deep else text[done:start])
        done = end
        if kind in {"operator", "arrow"}:
            pieces.append(_BLANK * (end - start) if deep or kind == "operator" else match[0])
            continue
        pieces.append(_BLANK)
        _nest(stack, match[0])
    pieces.append(_BLANK * (len(text) - done) if stack else text[done:])
    return "".join(pieces)


def _nest(stack: list[str], char: str) -> None:
    if stack and char == stack[-1]:
        stack.pop()
    elif char in _CLOSERS:
        stack.append(_CLOSERS[char])


def cut_itanium(text: str) -> str:
    """A C++ signature of the Itanium scheme without its return type; `(.clone)` becomes ` [clone .clone]`."""
    clone = _CLONE.search(text)
    if clone:
        return f"{cut_itanium(text[: clone.start()])} [clone {clone[1]}]"
    if _DATA.match(text):
        return text
    special = _SPECIAL.match(text)
    if special:
        return special[0] + cut_itanium(text[special.end() :])
    return _cut_return_type(text)


def _cut_return_type(text: str) -> str:
    flat = flatten(text)
    conversion = _CONVERSION.search(flat)
    if conversion is None:
        inner = _returned_pointer(text, flat)
        if inner is not None:
            return _cut_return_type(inner)
    name_end = conversion.start() if conversion else _parameters_start(text, flat)
    head = _ENCLOSING.sub(lambda match: _BLANK * len(match[0]), flat[:name_end])
    return text[head.rfind(" ") + 1 :]


def _returned_pointer(text: str, flat: str) -> str | None:
    """What stands inside `int (*…)(…)`: a function that returns a pointer to a function or an array."""
    for match in _POINTER.finditer(text):
        at = match.start()
        if flat[at] == _BLANK and (at == 0 or flat[at - 1] == " "):
            end = _group_end(text, at)
            inner = text[match.end() : end]
            if "(" in inner and text[end + 1 :].startswith(("(", "[", " [")):
                return inner
    return None


def _group_end(text: str, start: int) -> int:
    """The index of the bracket that closes the one at `start`."""
    stack: list[str] = []
    for match in _BRACKETS.finditer(text, start):
        if match.lastgroup in {"operator", "arrow"}:
            continue
        _nest(stack, match[0])
        if not stack:
            return match.start()
    return len(text)


def _parameters_start(text: str, flat: str) -> int:
    """Where the parameter list begins; the end of the text when it is no function."""
    tail = _QUALIFIERS.search(flat)
    end = tail.start() if tail else len(flat)
    if end and text[end - 1] == ")" and flat[end - 1] == _BLANK:
        return _group_start(text, end - 1)
    return len(text)


def _group_start(text: str, end: int) -> int:
    """The index of the bracket that the one at `end` closes."""
    stack: list[tuple[str, int]] = []
    for match in _BRACKETS.finditer(text, 0, end + 1):
        if match.lastgroup in {"operator", "arrow"}:
            continue
        char, at = match[0], match.start()
        if stack and char == stack[-1][0]:
            opened = stack.pop()[1]
            if at == end:
                return opened
        elif char in _CLOSERS:
            stack.append((_CLOSERS[char], at))
    return end


def cut_msvc(text: str) -> str:
    """A Microsoft signature without access, `static`, `virtual`, return type and calling conventions.

    Names of data keep their types.
    """
    text = _ACCESS.sub("", text)
    flat = flatten(text)
    conventions = list(_CONVENTION.finditer(flat))
    text = text[conventions[-1].end() :] if conventions else _msvc_returned_pointer(text, flat) or text
    return _KEYWORDS.sub("", _CONVENTION.sub("", text))


def _msvc_returned_pointer(text: str, flat: str) -> str | None:
    """What stands inside `int (__cdecl * __cdecl f(void))(int)`."""
    start = text.find(" (__") + 1
    if not start or flat[start] != _BLANK:
        return None
    inner = text[start + 1 : _group_end(text, start)]
    last = list(_CONVENTION.finditer(flatten(inner)))[1:]
    return inner[last[-1].end() :] if last else None


def cut_swift(text: str) -> str:
    """A Swift signature without the types of results."""
    flat = flatten(text)
    kept, done = [], 0
    for match in _SWIFT_RESULT.finditer(flat):
        kept.append(text[done : match.start()])
        done = match.end()
    return "".join([*kept, text[done:]])
