"""Whether a host has what the hosts of an installation must share: its blob store, and a key of its secrets.

The database keeps a mark that also lies in the blob store. A host whose store has another one, or none, would take
files in that no other host can read, such as a directory of its own where all others use a bucket.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from core.blobs import BlobError, BlobMissing, blob_store
from core.encryption import key_id_of, newest_key_id
from core.models import THE_ONE, Installation
from engine.errors import SymbolsvcError

log = logging.getLogger(__name__)

MARK: Final = "installation/mark"
_MARK_BYTES: Final = 64
# The number is any that no other lock uses.
_LOCK: Final = 7_305_810_231

OTHER_STORE: Final = (
    "BLOB_STORE: this is not the store of the database's files. All hosts need the same one, which a directory of one"
    " host is not. If the files were lost or moved without the mark, `manage.py blob_store --adopt` takes this one."
)
OTHER_KEYS: Final = (
    "SECRET_KEYS: the key of this installation's secrets is not among them. All hosts need the same ones; without the"
    " setting each makes its own."
)


class NotShared(SymbolsvcError):
    """This host lacks what the installation's hosts share."""

    code = "not_shared"


def problems() -> list[str]:
    """What this host lacks; the first host of an installation says what is right.

    A store that does not answer is no problem of this kind. Raises DatabaseError.
    """
    try:
        known = Installation.objects.filter(pk=THE_ONE).first() or _established()
        mark = _mark()
    except BlobError as error:
        log.warning("whether the blob store is the right one cannot be told: %s", error.message)
        return []
    ours = {key_id_of(key) for key in settings.SECRET_KEYS}
    found = ((mark != known.store_mark, OTHER_STORE), (known.key_id not in ours, OTHER_KEYS))
    return [text for wrong, text in found if wrong]


def demand_shared() -> None:
    """Raise NotShared when this host lacks something."""
    found = problems()
    if found:
        raise NotShared("\n".join(found))


def adopt_store() -> None:
    """Have the store of this host be the installation's. Raises BlobError."""
    known = Installation.objects.filter(pk=THE_ONE).first() or _established()
    _write_mark(known.store_mark)


def rotate_key(_report: Callable[[str], None]) -> int:
    """All secrets are under the newest key: that is the one that hosts must have. No secret itself."""
    Installation.objects.update(key_id=newest_key_id())
    return 0


def _established() -> Installation:
    """The row, made by the first who asks; a store that has been marked before keeps its mark."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        known = Installation.objects.filter(pk=THE_ONE).first()
        if known is not None:
            return known
        mark = _mark()
        if not mark:
            mark = secrets.token_hex(_MARK_BYTES // 4)
            _write_mark(mark)
        return Installation.objects.create(store_mark=mark, key_id=newest_key_id())


def _mark() -> str:
    """What lies in the store; empty when nothing does. Raises BlobError."""
    try:
        return b"".join(blob_store().pieces(MARK, 0, _MARK_BYTES)).decode("ascii", "replace")
    except BlobMissing:
        return ""


def _write_mark(mark: str) -> None:
    store = blob_store()
    with store.incoming(_MARK_BYTES, sha1=False) as incoming:
        incoming.write(mark.encode())
        store.keep(incoming, MARK)
