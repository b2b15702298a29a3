"""Where native libraries put their temporary files: on the disk of the cache, since /tmp may be memory.

The lookup tables of source maps are such files, without names, up to three times as large as the maps.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

VARIABLE: Final = "TMPDIR"
_NAME: Final = "tmp"


def scratch_environment(cache_dir: Path) -> dict[str, str]:
    """The variable for a child process. The directory is made; one that the operator chose is left as it is."""
    if VARIABLE in os.environ:
        return {}
    place = cache_dir / _NAME
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {VARIABLE: str(place)}


def use_scratch(cache_dir: Path) -> None:
    """Set the variable for this process, which has to have one thread only.

    Python's own temporary files stay where they were: sockets among them need short paths.
    """
    tempfile.gettempdir()
    os.environ.update(scratch_environment(cache_dir))
