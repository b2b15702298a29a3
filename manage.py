#!/usr/bin/env python
"""The command line of symbolsvc."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    if len(sys.argv) > 1 and sys.argv[1] == "up":
        # The supervisor stays small: it never imports Django.
        from symbolsvc.running.up import main as up

        sys.exit(up(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
