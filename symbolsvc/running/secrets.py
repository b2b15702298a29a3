"""The secrets of a trial installation: made once, kept in the data directory.

`secrets.json` holds `SECRET_KEY` (text) and `SECRET_KEYS` (Fernet keys, newest first). Only its owner can read it.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from symbolsvc.environment import PRODUCTION, ConfigurationError

FILE_NAME: Final = "secrets.json"
SHORTEST_SECRET_KEY: Final = 32
FERNET_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    secret_key: str
    secret_keys: tuple[str, ...]


def load_or_create(data_dir: Path) -> Secrets:
    """The secrets of this data directory, made first when there are none; the same for all who ask at once.

    Raises ConfigurationError when the directory cannot be written or the file is not what was written.
    """
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _read(path: Path) -> Secrets:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Secrets(str(content["SECRET_KEY"]), tuple(map(str, content["SECRET_KEYS"])))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path}: damaged. Put a copy of it back, or set SECRET_KEY and SECRET_KEYS."
        ) from None


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(FERNET_KEY_BYTES)).decode()
    content = {"SECRET_KEY": secrets.token_urlsafe(48), "SECRET_KEYS": [fernet_key]}
    # mkstemp makes the file readable for its owner alone, before anything is in it.
    descriptor, temporary = tempfile.mkstemp(prefix=".secrets-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        _publish(temporary, path)
    finally:
        os.unlink(temporary)


def _publish(temporary: str, path: Path) -> None:
    # A link, other than a rename, does not replace what another process made in the meantime.
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def settled(values: Mapping[str, Any], data_dir: Path) -> Secrets:
    """The secrets to run with: the environment's, or in trial use those of the data directory for what is missing.

    Raises ConfigurationError in production mode when one is missing, and for a key that cannot work.
    """
    secret_key, secret_keys = values["SECRET_KEY"], values["SECRET_KEYS"]
    if values["SYMBOLSVC_ENV"] == PRODUCTION:
        _demand(secret_key, secret_keys)
    elif not (secret_key and secret_keys):
        made = load_or_create(data_dir)
        secret_key, secret_keys = secret_key or made.secret_key, secret_keys or made.secret_keys
    for number, key in enumerate(secret_keys, 1):
        _check_fernet_key(key, number)
    return Secrets(secret_key, secret_keys)


def _demand(secret_key: str, secret_keys: tuple[str, ...]) -> None:
    if len(secret_key) < SHORTEST_SECRET_KEY:
        raise ConfigurationError(
            f"SECRET_KEY: production mode demands one of at least {SHORTEST_SECRET_KEY} characters."
        )
    if not secret_keys:
        raise ConfigurationError("SECRET_KEYS: production mode demands at least one Fernet key.")


def _check_fernet_key(key: str, number: int) -> None:
    try:
        sound = len(base64.urlsafe_b64decode(key)) == FERNET_KEY_BYTES
    except ValueError:
        sound = False
    if not sound:
        raise ConfigurationError(f"SECRET_KEYS: key {number} is not a Fernet key (32 bytes in URL-safe base64).")
