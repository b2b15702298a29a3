"""Every bench, one after the other: `make bench`. Each runs in a process of its own, so that none warms another."""

from __future__ import annotations

import subprocess
import sys

BENCHES = (
    "warm_request",
    "http_request",
    "submission",
    "minidump_parse",
    "minidump",
    "unwind_walk",
    "source_maps",
    "crash_page",
)


def main() -> int:
    """The number of benches that failed."""
    failed = 0
    for name in BENCHES:
        print(f"\n{name}\n{'=' * len(name)}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
