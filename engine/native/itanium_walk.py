"""The length of what a C++ name of the Itanium scheme stands for, without writing it.

The scheme is https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling. Names, types and template arguments are
understood, expressions are not.
"""

from __future__ import annotations

import re

_BUILTIN = frozenset("vwbcahstijlmxynofdegz")
_STANDARD = {"a": 15, "b": 18, "s": 78, "i": 52, "o": 52, "d": 53}
_PLAIN_D = frozenset("defhisacnu")
_SEQUENCE = re.compile(r"S([0-9A-Z]*)_")
_PARAMETER = re.compile(r"T[0-9]*_")
_NUMBER = re.compile(r"n?[0-9]+")
_OFFSET = re.compile(r"hn?[0-9]+_|vn?[0-9]+_n?[0-9]+_")
_LITERAL = re.compile(r"[^E]*E")
_DISCRIMINATOR = re.compile(r"__[0-9]+_|_[0-9]")
_COUNTER = re.compile(r"[0-9]*_")
_STRUCTOR = re.compile(r"C[1-5]|D[0-5]")
_OPERATOR = re.compile(
    r"n[wtega]|nx|d[lavesVt]|p[slmptL]|ad|co|m[ilmLI]|rm|rM|an|aN|a[aSw]|or|oR|oo|eo|eO|eq|l[steST]|r[sS]|g[te]|ss|cm|cl|ix|qu"
)
_LONGEST_BUILTIN = 18


class _NotUnderstood(Exception):
    pass


class _TooLong(Exception):
    pass


def measure(encoding: str, limit: int) -> int:
    """An upper bound, roughly, of the demangled length of what follows `_Z`; `limit` + 1 for more or not understood."""
    walk = _Walk(encoding, limit)
    try:
        walk.encoding()
    except (_TooLong, _NotUnderstood, IndexError, RecursionError):
        return limit + 1
    return walk.longest


class _Walk:
    """One pass over a name. `parts` has the length of everything a later `S…_` can stand for, in their order."""

    def __init__(self, text: str, limit: int) -> None:
        self.text = text
        self.limit = limit
        self.at = 0
        self.longest = 0
        self.parts: list[int] = []
        self.longest_argument = 0
        self.most_packed = 1

    def encoding(self) -> int:
        if self.text[self.at] == "T" or self.text.startswith("G", self.at):
            return self._special()
        size = self._name()
        while self.at < len(self.text) and self.text[self.at] not in "E.$@":
            size = self._size(size + self._type() + 2)
        return size

    def _special(self) -> int:
        if self._take("TV") or self._take("TT") or self._take("TI") or self._take("TS"):
            return self._size(25 + self._type())
        if self._take("GV") or self._take("TH") or self._take("TW"):
            return self._size(45 + self._name())
        if self._take("T"):
            self._match(_OFFSET)
            return self._size(30 + self.encoding())
        raise _NotUnderstood

    def _size(self, size: int) -> int:
        self.longest = max(self.longest, size)
        if size > self.limit:
            raise _TooLong
        return size

    def _take(self, prefix: str) -> bool:
        if not self.text.startswith(prefix, self.at):
            return False
        self.at += len(prefix)
        return True

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _NotUnderstood
        self.at = match.end()
        return match[0]

    def _remember(self, size: int) -> int:
        self.parts.append(self._size(size))
        return size

    def _name(self) -> int:
        if self._take("N"):
            return self._nested()
        if self._take("Z"):
            return self._local()
        if self.text[self.at] == "S" and self.text[self.at + 1] != "t":
            size = self._substitution()
        else:
            size = (5 if self._take("St") else 0) + self._unqualified(0)
            if self.text.startswith("I", self.at):
                self._remember(size)
        return size + self._arguments() if self._take("I") else size

    def _nested(self) -> int:
        while self._take("r") or self._take("V") or self._take("K"):
            pass
        if not self._take("R"):
            self._take("O")
        size = 0
        while not self._take("E"):
            if self.text[self.at] == "S":
                size = 3 if self._take("St") else self._substitution()
                continue
            size = self._remember(self._component(size))
            self._take("M")
        if self.parts:
            self.parts.pop()
        return size + 20

    def _component(self, size: int) -> int:
        if self._take("I"):
            return size + self._arguments()
        if self.text[self.at] == "T":
            return self._parameter()
        return size + 2 + self._unqualified(size)

    def _local(self) -> int:
        size = self.encoding()
        if not self._take("E"):
            raise _NotUnderstood
        if self._take("s"):
            size += 14
        else:
            size += 2 + self._name()
        if _DISCRIMINATOR.match(self.text, self.at):
            self._match(_DISCRIMINATOR)
        return self._size(size)

    def _unqualified(self, scope: int) -> int:
        self._take("L")
        char = self.text[self.at]
        if char.isdigit():
            size = self._source_name()
        elif _STRUCTOR.match(self.text, self.at) and scope:
            self._match(_STRUCTOR)
            size = scope + 1
        elif char == "U":
            size = self._closure()
        else:
            size = self._operator()
        while self._take("B"):
            size += self._source_name() + 6
        return size

    def _source_name(self) -> int:
        length = int(self._match(_NUMBER))
        self.at += length
        if length <= 0 or self.at > len(self.text):
            raise _NotUnderstood
        return max(length, 21)

    def _closure(self) -> int:
        if self._take("Ut"):
            self._match(_COUNTER)
            return 12
        if not self._take("Ul"):
            raise _NotUnderstood
        size = 12
        while not self._take("E"):
            size += self._type() + 2
        self._match(_COUNTER)
        return size + 20

    def _operator(self) -> int:
        if self._take("cv"):
            return 9 + self._type()
        if self._take("li"):
            return 12 + self._source_name()
        self._match(_OPERATOR)
        return 17

    def _substitution(self) -> int:
        standard = _STANDARD.get(self.text[self.at + 1])
        if standard is not None:
            self.at += 2
            if self.text.startswith("B", self.at):
                raise _NotUnderstood
            return standard
        digits = self._match(_SEQUENCE)[1:-1]
        return self.parts[int(digits, 36) + 1 if digits else 0]

    def _parameter(self) -> int:
        self._match(_PARAMETER)
        return self.longest_argument + 4

    def _arguments(self) -> int:
        total, count = 2, 0
        while not self._take("E"):
            size = self._argument()
            self.longest_argument = max(self.longest_argument, size)
            total, count = self._size(total + size + 2), count + 1
        self.most_packed = max(self.most_packed, count)
        return total

    def _argument(self) -> int:
        if self._take("J"):
            return self._arguments()
        if self._take("X"):
            raise _NotUnderstood
        if not self._take("L"):
            return self._type()
        if self._take("_Z") or self._take("Z"):
            size = self.encoding()
            if not self._take("E"):
                raise _NotUnderstood
            return size + 3
        return self._type() + len(self._match(_LITERAL)) + 4

    def _type(self) -> int:
        char = self.text[self.at]
        if char in _BUILTIN:
            self.at += 1
            return _LONGEST_BUILTIN
        if char == "D" and self.text[self.at + 1] in _PLAIN_D:
            self.at += 2
            return _LONGEST_BUILTIN
        if char == "S" and self.text[self.at + 1] != "t":
            size = self._substitution()
            return self._remember(size + self._arguments()) if self._take("I") else size
        return self._remember(self._compound(char))

    def _compound(self, char: str) -> int:
        if char in "rVK":
            return self._qualified()
        if char in "PROCG":
            self.at += 1
            return self._type() + 10
        if char == "F":
            return self._function()
        if char == "T":
            return self._template_parameter()
        if char == "M":
            self.at += 1
            return self._type() + self._type() + 8
        if char == "A":
            return self._array()
        if self._take("Dp"):
            return self._type() * self.most_packed
        if self._take("u"):
            return self._source_name()
        if char in "NZS" or char.isdigit():
            return self._name()
        raise _NotUnderstood

    def _qualified(self) -> int:
        while self._take("r") or self._take("V") or self._take("K"):
            pass
        return 24 + (self._function() if self.text[self.at] == "F" else self._type())

    def _function(self) -> int:
        self.at += 1
        self._take("Y")
        size = 10
        while not self._take("E"):
            if not (self._take("RE") or self._take("OE")):
                size = self._size(size + self._type() + 2)
                continue
            break
        return size

    def _template_parameter(self) -> int:
        size = self._parameter()
        if self._take("I"):
            self._remember(size)
            size += self._arguments()
        return size

    def _array(self) -> int:
        self.at += 1
        if self.text[self.at].isdigit():
            self._match(_NUMBER)
        if not self._take("_"):
            raise _NotUnderstood
        return self._type() + 24
