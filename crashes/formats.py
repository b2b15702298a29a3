"""The formats of submissions: which scope each needs, and what takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest, HttpResponse

from crashes.addresses import Address
from crashes.admission import Sender
from crashes.answers import wrong_address
from crashes.uploads import take_proguard, take_source_maps, take_symbols

Handler = Callable[[HttpRequest, Address, Sender], HttpResponse]

ERROR_POST: Final = "error:post"
SYMBOL_POST: Final = "symbol:post"


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of submission."""

    scope: str
    handler: Handler


def _not_taken(_request: HttpRequest, address: Address, _sender: Sender) -> HttpResponse:
    raise wrong_address(f"reports in the format {address.format} are not accepted here yet")


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "symbols": Format(SYMBOL_POST, take_symbols),
        "sourcemap": Format(SYMBOL_POST, take_source_maps),
        "proguard": Format(SYMBOL_POST, take_proguard),
        "json": Format(ERROR_POST, _not_taken),
        "minidump": Format(ERROR_POST, _not_taken),
        "plcrash": Format(ERROR_POST, _not_taken),
        "btt": Format(ERROR_POST, _not_taken),
    }
)
