"""Where the service keeps its things, and how it serves."""

from __future__ import annotations

from typing import Final

from symbolsvc.environment.kinds import (
    TRIAL,
    Setting,
    count,
    environment_name,
    flag,
    log_format,
    log_level,
    positive,
    whole,
    words,
)

SERVICE: Final[tuple[Setting, ...]] = (
    Setting(
        "SYMBOLSVC_ENV",
        TRIAL,
        environment_name,
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
    Setting("DATABASE_POOL_SIZE", "8", positive, "Database connections of each process at most."),
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
        words,
        "Fernet keys that encrypt stored secrets, newest first, separated by commas. Trial use generates one.",
        secret=True,
    ),
    Setting("ALLOWED_HOSTS", "*", words, "Host names that requests may name, separated by commas."),
    Setting("PUBLIC_URL", "", str, "The address that users see (`https://symbols.example.com`), for links in answers."),
    Setting(
        "PROXIES_IN_FRONT",
        "0",
        whole,
        "Reverse proxies in front that add to `X-Forwarded-For`. With 0 the header is not believed, and all who come"
        " through a proxy share one limit of tries to sign in.",
    ),
    Setting("WEB_WORKERS", "", count, "Web processes. Empty: one per core. `--workers` of `up` overrides it."),
    Setting("WEB_THREADS", "256", positive, "Threads of each web process: slots to wait in, not to compute in."),
    Setting("HEADER_SECONDS", "10", positive, "A client whose request line and headers take longer is cut off."),
    Setting("BODY_IDLE_SECONDS", "10", positive, "A client that sends nothing of its body for this long is cut off."),
    Setting("BODY_MAX_SECONDS", "60", positive, "A body below 8 KiB a second is cut off after this long."),
    Setting("API_BODY_MAX_BYTES", str(1024 * 1024), positive, "The largest body of every other API request."),
    Setting("GRACEFUL_SECONDS", "30", positive, "How long running requests may go on after SIGTERM."),
    Setting(
        "METRICS_TOKEN",
        "",
        str,
        "What Prometheus sends as a bearer token to read `/metrics`. Empty: it answers to this machine alone, and to"
        " nobody when proxies are in front.",
        secret=True,
    ),
    Setting("LOG_LEVEL", "INFO", log_level, "DEBUG, INFO, WARNING or ERROR."),
    Setting("LOG_FORMAT", "", log_format, "`json` or `console`. Empty: `json` in production, `console` in trial use."),
    Setting("ACCESS_LOG", "false", flag, "Log every answered request. Tokens are masked, as in every log line."),
)
