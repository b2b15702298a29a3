"""What a setting is, and the kinds of values settings have."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from engine.errors import SymbolsvcError

TRIAL: Final = "trial"
PRODUCTION: Final = "production"


class ConfigurationError(SymbolsvcError):
    """A setting is missing or makes no sense. The message names it and says what to write."""

    code = "configuration"


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str | None
    parse: Callable[[str], Any]
    doc: str
    secret: bool = False


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def flag(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("write true or false")


def environment_name(text: str) -> str:
    return one_of(text, (TRIAL, PRODUCTION))


def positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError("write a number above 0")
    return number


def whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("write a number, 0 or above")
    return number


def limit(text: str) -> int | None:
    return None if text.strip().lower() in {"", "none", "unlimited"} else positive(text)


def size(text: str) -> int | None:
    return positive(text) if text.strip() else None


def count(text: str) -> int:
    return positive(text) if text.strip() else len(os.sched_getaffinity(0))


def log_level(text: str) -> str:
    return one_of(text.upper(), ("DEBUG", "INFO", "WARNING", "ERROR"))


def log_format(text: str) -> str:
    return one_of(text, ("", "json", "console"))


def web_address(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("write an address such as https://host")
    return text.strip().rstrip("/")


def one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"write {' or '.join(choice for choice in choices if choice)}")
    return text
