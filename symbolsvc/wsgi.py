"""The entry of the web processes."""

from __future__ import annotations

import os

import django

from core.wire.handler import WireHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")

django.setup(set_prefix=False)

from symbolsvc.door import Door  # noqa: E402 - its views need a framework that is set up

application = Door(WireHandler())
