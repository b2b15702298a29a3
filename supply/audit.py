"""Known vulnerabilities of what is pinned, as PyPI tells them, by `pip-audit`."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any, Final

from supply.pins import DEV, ROOT, RUNTIME, pinned

_PROBE: Final = "https://pypi.org/pypi/{name}/{version}/json"
_SECONDS: Final = 20
FILES: Final = (RUNTIME, DEV)


def audit() -> int:
    """Print what is known; 1 when a vulnerability is. A registry that does not tell is said, and no failure."""
    if importlib.util.find_spec("pip_audit") is None:
        print("pip-audit is not installed: make tools")
        return 1
    silent = unreachable()
    if silent:
        print(f"Nothing was audited: {silent}")
        return 0
    return max([_audited(name) for name in FILES])


def unreachable() -> str:
    """Why the registry does not tell of vulnerabilities; empty when it does. Asks for one package."""
    pin = next(pin for pin in pinned(RUNTIME) if pin.name == "django")
    try:
        with urllib.request.urlopen(_PROBE.format(name=pin.name, version=pin.version), timeout=_SECONDS) as answer:  # noqa: S310 - an address of our own
            told = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"the package registry does not answer for {pin.name} {pin.version}: {error}"
    return "" if "vulnerabilities" in told else "the package registry says nothing of vulnerabilities"


def _audited(name: str) -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", f"{name}.txt", "--no-deps", "--disable-pip"]
    ended = subprocess.run(
        [*command, "--require-hashes", "--format", "json", "--progress-spinner", "off"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"{name}.txt could not be audited: {ended.stderr.strip()[-500:]}")
        return 1
    return report(name, found)


def report(name: str, found: list[dict[str, Any]]) -> int:
    """Print what `pip-audit` says of a file; 1 when it knows of a vulnerability."""
    bad = [(one, known) for one in found for known in one.get("vulns", ())]
    for one, known in bad:
        fixed = ", ".join(known.get("fix_versions", ())) or "no version"
        print(f"{name}.txt: {one['name']} {one['version']}: {known['id']}; mended in {fixed}")
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped:
        print(f"{name}.txt: nothing could be learned of {', '.join(skipped)}")
    print(f"{name}.txt: {len(found) - len(skipped)} packages audited, {len(bad)} vulnerabilities known")
    return int(bool(bad))
