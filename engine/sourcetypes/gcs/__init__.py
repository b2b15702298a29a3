"""Buckets of Google Cloud Storage.

Read by the service account `client_email` with its `private_key` (the key of the account's key file: PEM, or base64,
with or without the `-----BEGIN PRIVATE KEY-----` lines), or with a `bearer_token` that somebody else obtained.
Without either the bucket has to be public. The account needs `storage.objects.get`, and `storage.objects.list` for
missing files to be told from refused ones.
"""

from engine.sourcetypes.gcs.source import GcsSource

__all__ = ["GcsSource"]
