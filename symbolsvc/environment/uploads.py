"""What is uploaded, and where it is kept."""

from __future__ import annotations

from typing import Final

from symbolsvc.environment.kinds import Setting, limit, positive, web_address

UPLOADS: Final[tuple[Setting, ...]] = (
    Setting(
        "BLOB_STORE",
        "",
        str,
        "Where uploaded files are kept: a directory, or `s3://bucket/prefix?region=eu-west-1`, with"
        " `&endpoint=https://…` for what is not Amazon's own, or `gs://bucket/prefix`. Hosts that share a database need"
        " the same store."
        " Empty: `blobs` in the data directory.",
    ),
    Setting(
        "BLOB_STORE_ACCESS_KEY",
        "",
        str,
        "The access key for a BLOB_STORE in S3 (empty: the credentials that the container's host offers), or the e-mail"
        " address of a service account for one in GCS.",
        secret=True,
    ),
    Setting(
        "BLOB_STORE_SECRET_KEY",
        "",
        str,
        "The secret key for a BLOB_STORE in S3, or the service account's private key.",
        secret=True,
    ),
    Setting("MAX_UPLOAD_BYTES", str(16 * 1024**3), positive, "The largest uploaded file."),
    Setting(
        "UPLOADS_KEEP_DAYS",
        "365",
        limit,
        "Uploaded files that no symbolication used for so many days are deleted. `unlimited` to keep them for ever."
        " A project can have its own rule.",
    ),
    Setting(
        "UPLOADS_QUOTA_BYTES",
        "",
        limit,
        "What the uploaded files of a project may take together. Empty: no limit. A project can have its own rule.",
    ),
    Setting(
        "APP_STORE_CONNECT_URL",
        "https://api.appstoreconnect.apple.com",
        web_address,
        "Where Apple's API is reached that dSYM files are imported from. An address in your own network needs"
        " ALLOWED_SOURCE_NETWORKS too.",
    ),
)
