"""What is said of a module that stacks were unwound through: its names were found, and its unwind rules were not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.lookup import CficacheAnswer, Store, SymcacheAnswer, find_cficache, find_symcache
from engine.lookup.diagnosis import Asked, Verdict
from engine.lookup.model import Features, ModuleStatus, Use, UseStatus
from engine.outgoing import Deadline
from engine.sourcetypes.config import decode_sources
from symbolication.diagnosing import Diagnoser
from tests.engine.lookup.conftest import LEDGER, LEDGER_FILE, LEDGER_PATH, make_source
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import WebServer, reply, web_server

FIELDS = {"id": "builds", "name": "Builds", "type": "http", "layout": {"type": "native"}}
DEBUG_FILE = "fixtures/captures/crash/builds/fp/libledger.so.debug"


@pytest.fixture
def looked_up(tmp_path: Path) -> Any:
    """Gives the answers for names and for rules, for what a server has at the places of the library."""
    store = Store(tmp_path / "cache")

    def look(files: dict[str, bytes]) -> tuple[Diagnoser, SymcacheAnswer, CficacheAnswer]:
        with web_server() as server:
            server.routes.update({path: reply(body=body) for path, body in files.items()})
            source = make_source(server.url, id="builds")
            asked = Asked("builds", "Builds", _config(server))
            options: Any = {"scope": "p", "store": store, "deadline": Deadline.after(60)}
            names = find_symcache(LEDGER, [source], **options)
            return Diagnoser([asked], []), names, find_cficache(LEDGER, [source], **options)

    yield look
    if store.converter._own is not None:
        store.converter._own.kill()
        store.converter._own.wait()


def _config(server: WebServer) -> Any:
    return decode_sources([FIELDS | {"url": server.url}], operator=False)[0]


def said(text: str) -> dict[str, Any]:
    return msgspec.json.decode("{" + text.removeprefix(",") + "}")["diagnosis"]  # type: ignore[no-any-return]


def test_a_file_with_debug_information_alone_does_not_serve_unwinding(looked_up: Any) -> None:
    diagnoser, names, rules = looked_up({LEDGER_PATH + ".debug": shared(DEBUG_FILE).read_bytes()})
    assert (names.status, rules.status) == (ModuleStatus.FOUND, ModuleStatus.MISSING)

    found = said(diagnoser.json("k", LEDGER, names, False, rules))

    assert found["verdict"] == "no_unwind_info"
    assert "libledger.so" in found["cause"]
    assert "“Builds”" in found["cause"]
    assert "the library or program itself" in found["remedy"]
    assert [row["status"] for row in found["sources"][0]["tries"] if row["path"].endswith(".debug")] == ["found"]


def test_a_module_without_frames_is_spoken_of_when_stacks_lacked_its_rules(looked_up: Any) -> None:
    diagnoser, _, rules = looked_up({LEDGER_PATH + ".debug": shared(DEBUG_FILE).read_bytes()})
    assert said(diagnoser.json("k", LEDGER, None, False, rules))["verdict"] == "no_unwind_info"
    diagnoser, _, rules = looked_up({LEDGER_PATH: LEDGER_FILE.read_bytes()})
    assert diagnoser.json("k", LEDGER, None, False, rules) == ""
    assert said(diagnoser.json("k", LEDGER, None, True, rules))["verdict"] == "found"


def test_nothing_is_said_of_a_module_with_names_and_rules(looked_up: Any) -> None:
    diagnoser, names, rules = looked_up({LEDGER_PATH: LEDGER_FILE.read_bytes()})

    assert diagnoser.json("k", LEDGER, names, False, rules) == ""
    everything = said(diagnoser.json("k", LEDGER, names, True, rules))
    assert everything["verdict"] == "found"
    assert "symbolicated" in everything["cause"]
    assert "unwound" in diagnoser.diagnosis(LEDGER, rules).cause


def test_what_is_said_without_unwinding_stays_as_it_was(looked_up: Any) -> None:
    diagnoser, names, rules = looked_up({LEDGER_PATH + ".debug": shared(DEBUG_FILE).read_bytes()})
    unused = CficacheAnswer(ModuleStatus.UNUSED, None, None, "unknown", Features(), (), 0.0)

    assert diagnoser.json("k", LEDGER, names, False) == ""
    assert diagnoser.json("k", LEDGER, names, False, unused) == ""
    assert diagnoser.json("k", LEDGER, names, False, rules) != ""
    assert diagnoser.json("k", LEDGER, names, False) == ""


def test_missing_names_come_first(looked_up: Any) -> None:
    diagnoser, names, rules = looked_up({})

    assert said(diagnoser.json("k", LEDGER, names, False, rules))["verdict"] == "not_found"
    found = diagnoser.diagnosis(LEDGER, rules)
    assert found.verdict is Verdict.NOT_FOUND
    assert "the library or program itself" in found.remedy


def test_damaged_rules_are_told_from_damaged_names(looked_up: Any) -> None:
    diagnoser, names, rules = looked_up({LEDGER_PATH: LEDGER_FILE.read_bytes()})
    row = next(row for row in rules.candidates if row.unwind)
    rows = tuple(replace(one, unwind=Use(UseStatus.MALFORMED)) if one is row else one for one in rules.candidates)
    spoiled = replace(rules, status=ModuleStatus.MALFORMED, candidates=rows, path=None, identity=None)

    found = said(diagnoser.json("k", LEDGER, names, False, spoiled))

    assert found["verdict"] == "malformed"
    assert "unwind information is damaged" in found["cause"]
