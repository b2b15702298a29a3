"""Portable PDBs, which are read as they came: there is nothing to convert."""

from __future__ import annotations

from engine.caches import Miss
from engine.convert.client import ConverterUnavailable
from engine.errors import LookupFailure
from engine.formats.bytewise import mapped
from engine.formats.portable_pdb import PortablePdb
from engine.lookup.derived import GONE, DerivedFile
from engine.lookup.objects import InternalFailure, ObjectFile, Place, present
from engine.lookup.store import DAY_SECONDS, Store
from engine.outgoing import Deadline


def obtain_portable_pdb(
    store: Store, place: Place, file: ObjectFile, deadline: Deadline
) -> DerivedFile | Miss | InternalFailure:
    """The file itself, once it is sure that it can be opened. Raises DeadlineExceeded."""
    path = store.objects.path(place.key)
    try:
        again = present(store, place, file, deadline)
        if again is None or again.digest != file.digest:
            return InternalFailure(GONE)
        with open(path, "rb") as opened:
            PortablePdb(mapped(opened))
        return DerivedFile(path, file.digest)
    except LookupFailure as failure:
        return Miss.of(failure, DAY_SECONDS)
    except (OSError, ConverterUnavailable) as error:
        return InternalFailure.of(error)
