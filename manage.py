#!/usr/bin/env python
"""The command line of symbolsvc."""

from __future__ import annotations

import sys

from symbolsvc.running.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
