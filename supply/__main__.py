"""`python -m supply check|lock|licences|audit|sbom`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Final

from supply import audit, licences, making, pins, secrets


def check() -> int:
    """What can be said without a network: pins, licences, secrets. 1 when anything is wrong."""
    names = (pins.RUNTIME, pins.DEV, pins.TOOLS)
    found = [
        *chain.from_iterable(pins.disagreements(name) for name in names),
        *chain.from_iterable(pins.unmet(name) for name in (pins.RUNTIME, pins.DEV)),
        *licences.objections(),
        *secrets.objections(),
    ]
    print("\n".join(found) if found else "Pins, licences and secrets: nothing to object to.")
    return int(bool(found))


def write_licences() -> int:
    """Write docs/licences.md."""
    licences.PAGE.write_text(licences.page())
    return 0


COMMANDS: Final[Mapping[str, Callable[[], int]]] = {
    "check": check,
    "lock": making.lock,
    "licences": write_licences,
    "audit": audit.audit,
    "sbom": making.sbom,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m supply", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    return COMMANDS[parser.parse_args().command]()


if __name__ == "__main__":
    sys.exit(main())
