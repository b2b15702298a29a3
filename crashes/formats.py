"""The formats of submissions: which scope each needs, and what takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest, HttpResponse

from crashes.addresses import Address
from crashes.admission import Sender
from crashes.submission.handlers import take_report
from crashes.uploads import take_proguard, take_source_maps, take_symbols

Handler = Callable[[HttpRequest, Address, Sender], HttpResponse]

ERROR_POST: Final = "error:post"
SYMBOL_POST: Final = "symbol:post"


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of submission."""

    scope: str
    handler: Handler


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "symbols": Format(SYMBOL_POST, take_symbols),
        "sourcemap": Format(SYMBOL_POST, take_source_maps),
        "proguard": Format(SYMBOL_POST, take_proguard),
        "json": Format(ERROR_POST, take_report),
        "minidump": Format(ERROR_POST, take_report),
        "plcrash": Format(ERROR_POST, take_report),
        "btt": Format(ERROR_POST, take_report),
    }
)
