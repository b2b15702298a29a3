"""How a store of blobs fails, and what a disk says in these words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from engine.errors import SymbolsvcError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BlobError(SymbolsvcError):
    """A blob could not be stored or read. `status` is that of an answer to whoever uploads or downloads it."""

    code = "blob_store"
    status = 503


class BlobMissing(BlobError):
    """There is no blob under the key."""

    code = "blob_missing"
    status = 404

    def __init__(self) -> None:
        super().__init__("The stored file is not there any more.")


class BlobTooLarge(BlobError):
    """What comes in is larger than is allowed for it."""

    code = "too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The file is larger than {limit} bytes.")


class StoreFull(BlobError):
    """No room is left where blobs lie. Clients of Sentry try again after this status."""

    code = "storage_full"
    status = 507

    def __init__(self) -> None:
        super().__init__("There is no room left to store the file.")


class StoreUnavailable(BlobError):
    """The store cannot be reached, or refuses its own service."""

    code = "blob_store_unavailable"


@contextmanager
def explained() -> Iterator[None]:
    """Turns what a disk says into what a store says; a file that is not there stays FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, ConnectionError, TimeoutError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull from None
        if error.errno is None:
            raise
        raise StoreUnavailable(f"The store of files does not work: {error.strerror}.") from error
