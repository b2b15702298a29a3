"""Files made by other tools: the pinned requirements, by uv, and the list of parts (SBOM), by CycloneDX."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from supply.pins import DEV, ROOT, RUNTIME, TOOLS, pinned

SBOM: Final = ROOT / "var/sbom.cdx.json"
_OLDEST: Final = "3.11"
# Everything has to have wheels there; the last two parts are uv's words for a platform.
PLATFORMS: Final = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
PYTHONS: Final = ("3.11", "3.12", "3.13")


def lock() -> int:
    """Pin anew what the `.in` files ask for, keeping versions that still fit. Raises CalledProcessError."""
    for name in (RUNTIME, DEV, TOOLS):
        # All are installed into one place.
        within = {DEV: ["-c", f"{RUNTIME}.txt"], TOOLS: ["-c", f"{DEV}.txt"]}.get(name, [])
        _uv("--universal", "--generate-hashes", "--python-version", _OLDEST, "--no-build", "--annotation-style", "line",
            "--custom-compile-command", "make lock", *within, f"{name}.in", "-o", f"{name}.txt")  # fmt: skip
    for name in (RUNTIME, DEV):
        for python in PYTHONS:
            for platform in PLATFORMS:
                _uv("--no-deps", "--no-build", "--python-version", python, "--python-platform", platform, f"{name}.txt")
    pinned.cache_clear()
    return 0


def sbom() -> int:
    """Write the parts of the service, with versions and hashes, in CycloneDX's JSON: the same for the same pins."""
    SBOM.parent.mkdir(exist_ok=True)
    _run("cyclonedx-py", "requirements", "--output-reproducible", "--of", "JSON", "--pyproject", "pyproject.toml",
         "--mc-type", "application", "-o", str(SBOM), f"{RUNTIME}.txt")  # fmt: skip
    print(f"{SBOM.relative_to(ROOT)}: {SBOM.stat().st_size >> 10} KiB")
    return 0


def _uv(*arguments: str) -> None:
    _run("uv", "pip", "compile", "--quiet", *arguments)


def _run(program: str, *arguments: str) -> None:
    path = Path(sysconfig.get_path("scripts")) / program
    if not path.exists():
        sys.exit(f"{program} is not installed: make tools")
    subprocess.run([path, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
