"""Every setting of the service, read from the environment alone.

No Django in here: the supervising process reads the same table. `docs/settings.md` is generated from it.
`NAME_FILE` names a file to read a value from, for every setting marked as secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from symbolsvc.environment.crashes import CRASHES
from symbolsvc.environment.kinds import PRODUCTION, TRIAL, ConfigurationError, Setting
from symbolsvc.environment.service import SERVICE
from symbolsvc.environment.symbols import SYMBOLS
from symbolsvc.environment.uploads import UPLOADS

__all__ = [
    "BASE_DIR",
    "PRODUCTION",
    "SETTINGS",
    "TRIAL",
    "ConfigurationError",
    "Setting",
    "cache_dir",
    "data_dir",
    "read",
]

SETTINGS: Final[tuple[Setting, ...]] = (*SERVICE, *SYMBOLS, *UPLOADS, *CRASHES)

BASE_DIR: Final = Path(__file__).resolve().parent.parent.parent


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
