"""Every setting of the service, read from the environment alone.

No Django in here: the supervising process reads the same table. `docs/settings.md` is generated from it.
`NAME_FILE` names a file to read a value from, for every setting marked as secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from engine.errors import SymbolsvcError

TRIAL: Final = "trial"
PRODUCTION: Final = "production"


class ConfigurationError(SymbolsvcError):
    """A setting is missing or makes no sense. The message names it and says what to write."""

    code = "configuration"


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str | None
    parse: Callable[[str], Any]
    doc: str
    secret: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _flag(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("write true or false")


def _environment_name(text: str) -> str:
    return _one_of(text, (TRIAL, PRODUCTION))


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError("write a number above 0")
    return number


def _limit(text: str) -> int | None:
    return None if text.strip().lower() in {"", "none", "unlimited"} else _positive(text)


def _size(text: str) -> int | None:
    return _positive(text) if text.strip() else None


def _count(text: str) -> int:
    return _positive(text) if text.strip() else len(os.sched_getaffinity(0))


def _log_level(text: str) -> str:
    return _one_of(text.upper(), ("DEBUG", "INFO", "WARNING", "ERROR"))


def _log_format(text: str) -> str:
    return _one_of(text, ("", "json", "console"))


def _web_address(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("write an address such as https://host")
    return text.strip().rstrip("/")


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"write {' or '.join(choice for choice in choices if choice)}")
    return text


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "SYMBOLSVC_ENV",
        TRIAL,
        _environment_name,
        "`trial` generates the secrets it lacks into the data directory; `production` demands them.",
    ),
    Setting(
        "SYMBOLSVC_DATA_DIR",
        "",
        str,
        "Where the embedded database, generated secrets and caches live; `--data-dir` of every command sets it too."
        " Empty: `var` beside `manage.py`.",
    ),
    Setting(
        "DATABASE_URL",
        "",
        str,
        "`postgresql://user:password@host:5432/name`. Empty: an embedded PostgreSQL in the data directory.",
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "",
        str,
        "Signs sessions. At least 32 characters. Trial use generates one.",
        secret=True,
    ),
    Setting(
        "SECRET_KEYS",
        "",
        _words,
        "Fernet keys that encrypt stored secrets, newest first, separated by commas. Trial use generates one.",
        secret=True,
    ),
    Setting("ALLOWED_HOSTS", "*", _words, "Host names that requests may name, separated by commas."),
    Setting("PUBLIC_URL", "", str, "The address that users see (`https://symbols.example.com`), for links in answers."),
    Setting(
        "ALLOWED_SOURCE_NETWORKS",
        "",
        _words,
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
        _flag,
        "Answer Symbolicator's root endpoints without a token. Only for a trusted network.",
    ),
    Setting(
        "SYMSTORE_PROXY",
        "true",
        _flag,
        "Offer the files of the default sources to debuggers under `/proxy/`, to tokens with `symbols:read`;"
        " with SYMBOLICATOR_ANONYMOUS to everybody.",
    ),
    Setting(
        "MAX_CONCURRENT_REQUESTS",
        "200",
        _limit,
        "Symbolications in flight at once on this host; one more is answered 503. `unlimited` for no limit.",
    ),
    Setting(
        "SYMBOLICATE_BODY_MAX_BYTES", str(55 * 1024 * 1024), _positive, "The largest JSON body of a symbolication."
    ),
    Setting(
        "CRASH_FILE_BODY_MAX_BYTES",
        str(250 * 1024 * 1024),
        _positive,
        "The largest minidump or Apple crash report to symbolicate, with what comes beside it.",
    ),
    Setting("API_BODY_MAX_BYTES", str(1024 * 1024), _positive, "The largest body of every other API request."),
    Setting("BODY_IDLE_SECONDS", "10", _positive, "A client that sends nothing of its body for this long is cut off."),
    Setting("BODY_MAX_SECONDS", "60", _positive, "A body below 8 KiB a second is cut off after this long."),
    Setting("GRACEFUL_SECONDS", "30", _positive, "How long running requests may go on after SIGTERM."),
    Setting("WEB_THREADS", "256", _positive, "Threads of each web process: slots to wait in, not to compute in."),
    Setting("DATABASE_POOL_SIZE", "8", _positive, "Database connections of each process at most."),
    Setting("CACHE_DIR", "", str, "Where fetched files and symcaches are kept. Empty: `cache` in the data directory."),
    Setting(
        "MAX_DOWNLOAD_BYTES",
        str(15 * 1024**3),
        _positive,
        "The largest file fetched from a source, after decompression.",
    ),
    Setting(
        "CACHE_MAX_BYTES",
        "",
        _size,
        "What the cache directory may take on the disk, kept by the service itself. Empty: a fifth of the disk, and"
        " 50 GiB at most.",
    ),
    Setting(
        "CACHE_DOWNLOADED_SECONDS", "86400", _positive, "Fetched files that nobody uses for this long are removed."
    ),
    Setting(
        "CACHE_DERIVED_SECONDS",
        str(7 * 86400),
        _positive,
        "What was made from fetched files, and the record of what was found, is removed when unused for this long.",
    ),
    Setting(
        "DENY_LIST_NEVER_BLOCK_HOSTS",
        "",
        _words,
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
    Setting("MAX_UPLOAD_BYTES", str(16 * 1024**3), _positive, "The largest uploaded file."),
    Setting(
        "UPLOADS_KEEP_DAYS",
        "365",
        _limit,
        "Uploaded files that no symbolication used for so many days are deleted. `unlimited` to keep them for ever."
        " A project can have its own rule.",
    ),
    Setting(
        "UPLOADS_QUOTA_BYTES",
        "",
        _limit,
        "What the uploaded files of a project may take together. Empty: no limit. A project can have its own rule.",
    ),
    Setting(
        "APP_STORE_CONNECT_URL",
        "https://api.appstoreconnect.apple.com",
        _web_address,
        "Where Apple's API is reached that dSYM files are imported from. An address in your own network needs"
        " ALLOWED_SOURCE_NETWORKS too.",
    ),
    Setting("HEADER_SECONDS", "10", _positive, "A client whose request line and headers take longer is cut off."),
    Setting("WEB_WORKERS", "", _count, "Web processes. Empty: one per core. `--workers` of `up` overrides it."),
    Setting("LOG_LEVEL", "INFO", _log_level, "DEBUG, INFO, WARNING or ERROR."),
    Setting("LOG_FORMAT", "", _log_format, "`json` or `console`. Empty: `json` in production, `console` in trial use."),
    Setting("ACCESS_LOG", "false", _flag, "Log every answered request. Tokens are masked, as in every log line."),
)


BASE_DIR: Final = Path(__file__).resolve().parent.parent


def data_dir(values: Mapping[str, Any]) -> Path:
    """The data directory, absolute, of settings that `read` returned."""
    return Path(values["SYMBOLSVC_DATA_DIR"] or BASE_DIR / "var").absolute()


def cache_dir(values: Mapping[str, Any]) -> Path:
    """The cache directory, absolute, of settings that `read` returned."""
    return Path(values["CACHE_DIR"] or data_dir(values) / "cache").absolute()


def read(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All settings by name, parsed.

    Raises ConfigurationError naming the first setting that makes no sense.
    """
    source = os.environ if environ is None else environ
    return {setting.name: _value(setting, source) for setting in SETTINGS}


def _value(setting: Setting, environ: Mapping[str, str]) -> Any:
    text = environ.get(setting.name)
    file_name = environ.get(f"{setting.name}_FILE") if setting.secret else None
    if file_name:
        try:
            text = Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{setting.name}_FILE: {file_name} cannot be read: {error.strerror}") from None
    try:
        return setting.parse(setting.default or "" if text is None else text)
    except ValueError as error:
        raise ConfigurationError(f"{setting.name}: {error}") from None
