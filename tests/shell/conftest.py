"""The command with a cache of its own, in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from symbolsvc.shell.main import main

ROOT = Path(__file__).resolve().parents[2]
DUMP = ROOT / "symbolsvc/demo/crash.dmp"
SYMBOLS = ROOT / "symbolsvc/demo/symbols"
BUILDS = ROOT / "tests/fixtures/crash/builds"


@dataclass(frozen=True)
class Said:
    """What a run left."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def symbolicate(cache, monkeypatch, capsys):
    """Run the command on words; files are cached for all tests that ask for the same."""
    monkeypatch.setenv("CACHE_DIR", str(cache))

    def run(*words, open_project=None):
        status = main([str(word) for word in words], open_project)
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run
