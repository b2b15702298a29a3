"""Where uploaded content lies: a directory or a bucket of S3 or GCS, behind one small interface.

Content passes through a local spool while its digests are taken and somebody looks into it; then it is kept under a
key. Content that several things may share is addressed by its digest (`content_key`), what belongs to one thing alone
gets a key that nobody can guess (`own_key`).
"""

from core.blobs.base import BlobStore, StoredKey, content_key, own_key
from core.blobs.config import BadBlobStore, blob_store, open_store
from core.blobs.errors import BlobError, BlobMissing, BlobTooLarge, StoreFull, StoreUnavailable
from core.blobs.incoming import Digests, Incoming

__all__ = [
    "BadBlobStore",
    "BlobError",
    "BlobMissing",
    "BlobStore",
    "BlobTooLarge",
    "Digests",
    "Incoming",
    "StoreFull",
    "StoreUnavailable",
    "StoredKey",
    "blob_store",
    "content_key",
    "open_store",
    "own_key",
]
