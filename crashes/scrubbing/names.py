"""Names under which secrets stand: of attributes, annotations, headers and variables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NOT_LETTERS: Final = re.compile(r"[\W_]+")
# Anywhere in a name, whatever stands around them.
_PARTS: Final = re.compile(
    "passw|passphrase|passcode|secret|apikey|accesskey|privatekey|encryptionkey|signingkey|credential|authorization"
    "|accesstoken|authtoken|refreshtoken|sessiontoken|sessionid|sessionkey|securitycode|cardnumber|creditcard"
    "|connectionstring|mysqlpwd|setcookie"
)
# As words of their own.
_SINGLE: Final = frozenset(
    {"token", "auth", "pwd", "pass", "pw", "csrf", "xsrf", "jwt", "bearer", "cookie", "cookies", "cvv", "cvc", "ssn"}
    | {"otp", "dsn", "sid", "iban"}
)
_BLOCKS: Final = frozenset(
    {"environmentvariables", "environmentvariable", "envvars", "environ", "envvariables", "processenv"}
    | {"processenvironment", "environmentblock"}
)
# Values of these are texts as well, such as the name of a stage.
_BLOCKS_OF_VALUES: Final = frozenset({"env", "environment", "variables"})
_PREFIXES: Final = ("env.", "environ.", "environment variables.", "environment_variables.", "environmentvariables.")
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Names:
    """The names that are secret: the known ones, and further ones in lower case, in which * and ? stand for others."""

    extra: tuple[str, ...] = ()

    @classmethod
    def of(cls, extra: Collection[str]) -> Names:
        """With the names that a project adds."""
        return cls(tuple(sorted(name.strip().lower() for name in extra if name.strip())))

    def hides(self, name: str, value: Any) -> bool:
        """Whether the value under a name is masked. Counts and switches are not, unless the name leaves no doubt."""
        if value is None or value == "" or isinstance(value, bool):
            return self._is_extra(name) and value is not None
        if self._is_extra(name) or _is_strong(name[:_LONGEST]):
            return True
        return not isinstance(value, int | float) and _is_weak(name[:_LONGEST])

    def _is_extra(self, name: str) -> bool:
        if not self.extra:
            return False
        lower = name.lower()
        return any(fnmatchcase(lower, pattern) for pattern in self.extra)


def is_environment(name: str, value: Any) -> bool:
    """Whether a value is, or belongs to, the environment of a process."""
    lower = name[:_LONGEST].lower()
    if lower.startswith(_PREFIXES):
        return True
    bare = _NOT_LETTERS.sub("", lower)
    return bare in _BLOCKS or (bare in _BLOCKS_OF_VALUES and isinstance(value, Mapping | list) and bool(value))


@lru_cache(maxsize=4096)
def _is_strong(name: str) -> bool:
    return bool(_PARTS.search(_NOT_LETTERS.sub("", name.lower())))


@lru_cache(maxsize=4096)
def _is_weak(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    return not _SINGLE.isdisjoint(words) or "token" in _NOT_LETTERS.sub("", name.lower())
