"""Files on disk: atomic, checksummed, with the reasons for what is absent, within limits."""

from engine.caches.files import keep_alive, publish, temporary_file, temporary_path
from engine.caches.keys import GLOBAL_SCOPE, derived_key, location_key
from engine.caches.sealed import CorruptFile, seal, verify
from engine.caches.shelf import Miss, Shelf
from engine.caches.tidy import Tidied, tidy

__all__ = [
    "GLOBAL_SCOPE",
    "CorruptFile",
    "Miss",
    "Shelf",
    "Tidied",
    "derived_key",
    "keep_alive",
    "location_key",
    "publish",
    "seal",
    "temporary_file",
    "temporary_path",
    "tidy",
    "verify",
]
