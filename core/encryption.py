"""Secrets at rest: sealed under the newest of the installation's keys, and bound to the thing they belong to.

A sealed secret is a Fernet token (AES-128-CBC with HMAC-SHA256) beside the id of the key that made it. The plaintext
is JSON that names its owner, so that a ciphertext copied to another row opens there as `BelongsElsewhere`. No error of
this module, nor anything it chains to, holds plaintext.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from engine.errors import SymbolsvcError

KEY_ID_LENGTH: Final = 16


class EncryptionError(SymbolsvcError):
    """A secret could not be sealed or revealed."""

    code = "encryption"


class KeysMisconfigured(EncryptionError):
    """SECRET_KEYS is empty or holds something that is no Fernet key."""

    code = "encryption_keys"


class UnknownKey(EncryptionError):
    """The key that sealed the secret is not among SECRET_KEYS any more."""

    code = "unknown_key"


class Tampered(EncryptionError):
    """The ciphertext was changed, cut off, or is none."""

    code = "tampered"


class BelongsElsewhere(EncryptionError):
    """The ciphertext is sound, but was sealed for something else."""

    code = "belongs_elsewhere"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored: the id of the key (`key_id_of`) and the ciphertext."""

    key_id: str
    ciphertext: bytes


class _Envelope(msgspec.Struct, frozen=True):
    bound_to: str
    data: dict[str, Any]

    def __repr__(self) -> str:
        return "<envelope>"


@dataclass(frozen=True, slots=True, repr=False)
class _Ring:
    newest: str
    known: frozenset[str]
    fernet: MultiFernet


def key_id_of(key: str) -> str:
    """The public name of a Fernet key: a digest from which the key cannot be had."""
    return hashlib.sha256(b"symbolsvc key id\0" + key.encode()).hexdigest()[:KEY_ID_LENGTH]


def newest_key_id() -> str:
    """The id of the key that seals now. Raises KeysMisconfigured."""
    return _current_ring().newest


def seal(data: dict[str, Any], *, bound_to: str) -> Sealed:
    """Encrypt `data` (JSON types) under the newest key, for `bound_to` alone. Raises KeysMisconfigured."""
    ring = _current_ring()
    plaintext = msgspec.json.encode(_Envelope(bound_to=bound_to, data=data))
    return Sealed(key_id=ring.newest, ciphertext=ring.fernet.encrypt(plaintext))


def reveal(sealed: Sealed, *, bound_to: str) -> dict[str, Any]:
    """The data that was sealed for `bound_to`.

    Raises UnknownKey, Tampered, BelongsElsewhere or KeysMisconfigured.
    """
    ring = _ring_for(sealed)
    plaintext = _opened(ring, sealed.ciphertext)
    envelope = None if plaintext is None else _unpacked(plaintext)
    if envelope is None:
        raise Tampered("the stored secret is damaged: enter it again")
    if envelope.bound_to != bound_to:
        raise BelongsElsewhere("the stored secret was made for something else: enter it again")
    return envelope.data


def rotate(sealed: Sealed) -> Sealed:
    """The same secret under the newest key, without looking into it.

    Raises UnknownKey, Tampered or KeysMisconfigured.
    """
    ring = _ring_for(sealed)
    plaintext = _opened(ring, sealed.ciphertext)
    if plaintext is None:
        raise Tampered("the stored secret is damaged: enter it again")
    return Sealed(key_id=ring.newest, ciphertext=ring.fernet.encrypt(plaintext))


def _ring_for(sealed: Sealed) -> _Ring:
    ring = _current_ring()
    if sealed.key_id not in ring.known:
        raise UnknownKey(
            f"the key {sealed.key_id[:KEY_ID_LENGTH]} is not among SECRET_KEYS: add it, or enter the secret again"
        )
    return ring


def _opened(ring: _Ring, ciphertext: bytes) -> bytes | None:
    try:
        return ring.fernet.decrypt(ciphertext)
    except InvalidToken:
        return None


# The caller raises, outside of the handler: an error of the decoder would carry the plaintext in its context.
def _unpacked(plaintext: bytes) -> _Envelope | None:
    try:
        return msgspec.json.decode(plaintext, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _current_ring() -> _Ring:
    return _ring(tuple(settings.SECRET_KEYS))


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> _Ring:
    if not keys:
        raise KeysMisconfigured("SECRET_KEYS is empty: name at least one Fernet key")
    fernets = [_fernet(key, number) for number, key in enumerate(keys, start=1)]
    names = [key_id_of(key) for key in keys]
    return _Ring(newest=names[0], known=frozenset(names), fernet=MultiFernet(fernets))


def _fernet(key: str, number: int) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, TypeError):
        fernet = None
    if fernet is None:
        raise KeysMisconfigured(f"SECRET_KEYS: number {number} is not a Fernet key")
    return fernet
