"""Symbolication: its sources, its bounds, and the caches of what it fetched."""

from __future__ import annotations

from typing import Final

from symbolsvc.environment.kinds import Setting, flag, limit, positive, size, words

SYMBOLS: Final[tuple[Setting, ...]] = (
    Setting(
        "ALLOWED_SOURCE_NETWORKS",
        "",
        words,
        "Reserved addresses that symbol sources may still connect to: networks (`10.0.0.0/8`) and host names,"
        " separated by commas. `acme=10.1.0.0/16` allows it to the organization `acme` alone."
        " The operator's own sources are trusted.",
    ),
    Setting(
        "SYMBOLICATOR_CONFIG", "", str, "A YAML or JSON file in Symbolicator's format: its `sources` are the defaults."
    ),
    Setting(
        "SYMBOLICATOR_ANONYMOUS",
        "false",
        flag,
        "Answer Symbolicator's root endpoints without a token. Only for a trusted network.",
    ),
    Setting(
        "SYMSTORE_PROXY",
        "true",
        flag,
        "Offer the files of the default sources to debuggers under `/proxy/`, to tokens with `symbols:read`;"
        " with SYMBOLICATOR_ANONYMOUS to everybody.",
    ),
    Setting(
        "MAX_CONCURRENT_REQUESTS",
        "200",
        limit,
        "Symbolications in flight at once on this host; one more is answered 503. `unlimited` for no limit.",
    ),
    Setting("SYMBOLICATE_BODY_MAX_BYTES", str(55 * 1024 * 1024), positive, "The largest JSON body of a symbolication."),
    Setting(
        "CRASH_FILE_BODY_MAX_BYTES",
        str(250 * 1024 * 1024),
        positive,
        "The largest minidump or Apple crash report to symbolicate, with what comes beside it.",
    ),
    Setting("CACHE_DIR", "", str, "Where fetched files and symcaches are kept. Empty: `cache` in the data directory."),
    Setting(
        "MAX_DOWNLOAD_BYTES",
        str(15 * 1024**3),
        positive,
        "The largest file fetched from a source, after decompression.",
    ),
    Setting(
        "CACHE_MAX_BYTES",
        "",
        size,
        "What the cache directory may take on the disk, kept by the service itself. Empty: a fifth of the disk, and"
        " 50 GiB at most.",
    ),
    Setting("CACHE_DOWNLOADED_SECONDS", "86400", positive, "Fetched files that nobody uses for this long are removed."),
    Setting(
        "CACHE_DERIVED_SECONDS",
        str(7 * 86400),
        positive,
        "What was made from fetched files, and the record of what was found, is removed when unused for this long.",
    ),
    Setting(
        "DENY_LIST_NEVER_BLOCK_HOSTS",
        "",
        words,
        "Hosts of symbol sources that are asked however often they fail, separated by commas. Others are left alone"
        " for an hour after 60 failures within a minute.",
    ),
    Setting(
        "SHARED_CACHE",
        "",
        str,
        "A bucket that several hosts share what they fetched in: JSON in the form of an `s3` or `gcs` source, such as"
        ' `{"type": "s3", "bucket": "symbol-cache", "region": "eu-west-1", "access_key": "…", "secret_key": "…"}`.'
        " The hosts need the same SECRET_KEY. Empty: none.",
        secret=True,
    ),
)
