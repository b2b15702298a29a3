"""Files on disk: atomic, checksummed, with the reasons for what is absent, within limits."""

from engine.caches.files import Draft, keep_alive, publish, temporary_file, temporary_path
from engine.caches.inventory import Usage, purge, usage
from engine.caches.keys import GLOBAL_SCOPE, derived_key, location_key
from engine.caches.labels import BadSelection, Labels, Selection
from engine.caches.purges import Purges
from engine.caches.sealed import CorruptFile, seal, verify
from engine.caches.shared import SharedCache, Shelter
from engine.caches.shelf import RECORD_SUFFIX, Miss, Shelf
from engine.caches.tidy import Limits, Tidied, default_limit, tidy

__all__ = [
    "GLOBAL_SCOPE",
    "RECORD_SUFFIX",
    "BadSelection",
    "CorruptFile",
    "Draft",
    "Labels",
    "Limits",
    "Miss",
    "Purges",
    "Selection",
    "SharedCache",
    "Shelf",
    "Shelter",
    "Tidied",
    "Usage",
    "default_limit",
    "derived_key",
    "keep_alive",
    "location_key",
    "publish",
    "purge",
    "seal",
    "temporary_file",
    "temporary_path",
    "tidy",
    "usage",
    "verify",
]
