"""Sources of S3 on a server of a test."""

from __future__ import annotations

from tests.engine.sourcetypes.asking import opened


def s3_source(url, *, owner="acme", access_key="AKID", secret_key="secret-canary", **fields):
    return opened(
        owner=owner,
        type="s3",
        region=["us-east-1", url],
        access_key=access_key,
        secret_key=secret_key,
        **({"bucket": "symbols"} | fields),
    )
