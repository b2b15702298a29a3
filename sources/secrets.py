"""The secrets of stored sources: sealed here, and revealed nowhere else.

`reveal_secrets` is called by the composition of a project's sources for a lookup, and by the test of one source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from core import encryption
from core.encryption import Sealed
from sources.models import SymbolSource


def reveal_secrets(row: SymbolSource) -> dict[str, Any]:
    """The secrets of a stored source in clear, by field name; only those that its configuration has a marker for.

    Raises EncryptionError.
    """
    if row.secrets is None:
        return {}
    secrets = encryption.reveal(_sealed(row), bound_to=_binding(row))
    return {name: value for name, value in secrets.items() if name in row.fields}


def set_secrets(row: SymbolSource, fresh: Mapping[str, str], kept: Collection[str] = ()) -> None:
    """Put the secrets `fresh` into a row that is about to be saved, and keep those of `kept`; all others are gone.

    Raises EncryptionError when some are kept and others are new, and the kept ones cannot be had.
    """
    if kept and not fresh:
        return
    secrets = {**_only(row, kept), **fresh}
    if not secrets:
        row.secrets, row.secrets_key = None, ""
        return
    sealed = encryption.seal(secrets, bound_to=_binding(row))
    row.secrets, row.secrets_key = sealed.ciphertext, sealed.key_id


def rotate_secrets(row: SymbolSource) -> None:
    """Put the row's secrets under the newest key and save them. Raises EncryptionError."""
    sealed = encryption.rotate(_sealed(row))
    row.secrets, row.secrets_key = sealed.ciphertext, sealed.key_id
    row.save(update_fields=["secrets", "secrets_key"])


def _only(row: SymbolSource, names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in reveal_secrets(row).items() if name in names} if names else {}


def _sealed(row: SymbolSource) -> Sealed:
    return Sealed(key_id=row.secrets_key, ciphertext=bytes(row.secrets or b""))


def _binding(row: SymbolSource) -> str:
    return f"symbol source {row.pk}"
