"""Asking a source of any type, and what the tests of all types compare."""

from __future__ import annotations

import io
import socket

import pytest

from engine.errors import FailureKind, LookupFailure
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Opening
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.webserver import LOOPBACK

LIBRARY = Wanted(ModuleType.ELF, "abcdef", "/lib/lib.so", DebugId.parse("a" * 32), "lib.so")
PATH = "ab/cdef"
CANARY = "canary-0f6c1d"


def configured(operator=True, **fields):
    return decode_sources([{"id": "ours"} | fields], operator=operator)[0]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def opened(*, owner="acme", trust=LOOPBACK, **fields):
    return open_source(configured(**fields), owner=owner, trust=trust, digest_key=b"k")


def opening(name, *, owner="acme", trust=LOOPBACK):
    """For sources that a test makes itself; `name` stands for their configuration."""
    return Opening(owner=owner, cache_key=f"{owner}/{name}", shared=False, trust=trust)


def fetch(source, wanted=LIBRARY, seconds=20.0):
    target = io.BytesIO()
    [(_, location)] = source.locate(wanted, [FileType.ELF_CODE], Deadline.after(seconds))
    source.fetch(location, wanted, target, Deadline.after(seconds))
    return target.getvalue()


def failure_of(source, **options):
    with pytest.raises(LookupFailure) as caught:
        fetch(source, **options)
    return caught.value.kind, caught.value.details


def refused(details):
    return FailureKind.REFUSED, details


def unreachable(problem):
    return FailureKind.UNREACHABLE, f"download failed: {problem}"
