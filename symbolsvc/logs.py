"""Log lines: one per event, with the request's id, without tokens.

Every line of every library goes through the same formatter, which masks tokens in the finished text,
tracebacks included.
"""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Mapping
from typing import Any, Final

import structlog

from symbolsvc.environment import PRODUCTION

_PATTERNS: Final = (
    # Our tokens: 64 hex digits, of which the first 8 are their visible name.
    (re.compile(r"([0-9a-fA-F]{8})[0-9a-fA-F]{56,}"), r"\1…"),
    # Whatever stands in the place of a token in a symbol server's address, mistyped ones too.
    (re.compile(r"(/(?:symbols/[^/\s]+/[^/\s]+|proxy)/+t/[^/\s\"']{0,8})[^/\s\"']*", re.IGNORECASE), r"\1…"),
    # What clients of other services send by mistake.
    (re.compile(r"(sntry[su]_)[A-Za-z0-9_=+/.%-]+"), r"\1…"),
    (re.compile(r"(\b(?:bearer|basic)(?:\s|%20|\+)+)[A-Za-z0-9_=+/.~%-]{8,}", re.IGNORECASE), r"\1…"),
    # User and password in a URL.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s:@'\"]*:[^/\s@'\"]+@", re.IGNORECASE), r"\1…@"),
)


def mask(text: str) -> str:
    """`text` without tokens and without passwords in URLs."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class MaskingFormatter(structlog.stdlib.ProcessorFormatter):
    """The one formatter: whatever a line is made of, tokens are masked at the very end."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def style_of(values: Mapping[str, Any]) -> str:
    """`json` or `console`, of settings that `environment.read` returned."""
    chosen: str = values["LOG_FORMAT"]
    return chosen or ("json" if values["SYMBOLSVC_ENV"] == PRODUCTION else "console")


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderers(style: str) -> list[Any]:
    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]


def configure(*, level: str, style: str) -> None:
    """Send every log line of this process to stderr, from `level` up, as `json` or `console` lines."""
    formatter = {
        "()": MaskingFormatter,
        "foreign_pre_chain": _shared_processors(),
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(style)],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "procrastinate": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
                "botocore": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
