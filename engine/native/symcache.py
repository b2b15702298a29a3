"""Looking addresses up in symcaches: the one place that reaches into `symbolic`'s C interface.

The library's own `SymCache.lookup` builds objects and checks for errors around every call; the calls made here cost
less than half. They rest on the private module `symbolic._lowlevel`, hence the version is pinned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbolic._lowlevel import ffi, lib
from symbolic.exceptions import SymbolicError
from symbolic.utils import rustcall

from engine.native.open_files import OpenFiles

_NO_ADDRESS = 0xFFFFFFFF
_U32_END = 1 << 32
_OPEN_FILES = 512


@dataclass(frozen=True, slots=True)
class Location:
    """One function at an address, as the debug file says it. `sym_addr` is relative to the module, None if inlined.

    `language` is None when unknown, `path` when there is no file; `symbol` is the raw name.
    """

    symbol: str
    language: str | None
    path: str | None
    line: int
    sym_addr: int | None


class SymcacheError(Exception):
    """The library could not read a symcache."""


class OpenSymcache:
    """A symcache that is mapped into memory; its map lives as long as somebody holds the object.

    The file must have passed its checksum: a damaged one can end the process. Raises SymcacheError when it cannot be
    opened.
    """

    def __init__(self, path: Path) -> None:
        self._pointer: Any = None
        try:
            self._pointer = rustcall(lib.symbolic_symcache_open, bytes(path))  # type: ignore[no-untyped-call]
        except SymbolicError as error:
            raise SymcacheError(str(error)) from error

    def __del__(self) -> None:
        if self._pointer is not None:
            lib.symbolic_symcache_free(self._pointer)

    def lookup(self, addresses: Iterable[int]) -> dict[int, tuple[Location, ...]]:
        """What lies at each address, relative to the module; innermost first, empty where there is nothing.

        Raises SymcacheError when the library reports a fault.
        """
        lib.symbolic_err_clear()
        return {address: self._lookup(address) for address in addresses}

    def _lookup(self, address: int) -> tuple[Location, ...]:
        if not 0 <= address < _U32_END:
            return ()
        result = lib.symbolic_symcache_lookup(self._pointer, address)
        try:
            count = result.len
            if not count and lib.symbolic_err_get_last_code():
                raise SymcacheError("the symcache cannot be read")
            items = result.items
            return tuple([_location(items[at]) for at in range(count)])
        finally:
            lib.symbolic_lookup_result_free(ffi.addressof(result))


def _location(item: Any) -> Location:
    language = _text(item.lang)
    sym_addr = item.sym_addr
    full_path = item.full_path
    path = _text(full_path)
    if full_path.owned:
        lib.symbolic_str_free(ffi.addressof(full_path))
    return Location(
        _text(item.symbol),
        None if language == "unknown" else language or None,
        path or None,
        item.line,
        None if sym_addr == _NO_ADDRESS else sym_addr,
    )


def _text(value: Any) -> str:
    size = value.len
    return ffi.unpack(value.data, size).decode("utf-8", "replace") if size else ""


class OpenSymcaches:
    """The symcaches a process keeps open, the least lately used one closed first."""

    def __init__(self, limit: int = _OPEN_FILES) -> None:
        self._open: OpenFiles[OpenSymcache] = OpenFiles(limit)

    def get(self, identity: str, path: Path) -> OpenSymcache:
        """The symcache with this content, opened at `path` if need be. Raises SymcacheError."""
        return self._open.get(identity, path, lambda: OpenSymcache(path))
