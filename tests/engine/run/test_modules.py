"""What the answer says about modules."""

from __future__ import annotations

from tests.engine.run.serving import BASE, NOTHING, PLAIN, ask, frames, stack, with_fields
from tests.engine.webserver import reply


def test_a_module_all_of_whose_frames_were_dropped_counts_as_unused(answer_to):
    guesses = {"frames": [with_fields(NOTHING, trust="scan")]}
    answer = answer_to(guesses, options={"dif_candidates": True})
    module = answer["modules"][0]
    assert module["debug_status"] == "unused"
    assert module["candidates"]
    kept = answer_to(guesses, options={"apply_source_context": False})
    assert kept["modules"][0]["debug_status"] == "found"


def test_modules_come_back_in_order_with_filled_sizes(answer_to, ledger):
    after = {"type": "weird", "image_addr": BASE + 0x5000, "debug_id": "nonsense", "code_id": "XYZ"}
    first, second = answer_to(stack(PLAIN), modules=[after, ledger.module(BASE)])["modules"]
    assert list(first.items()) == [
        ("debug_status", "unused"),
        ("features", dict.fromkeys(["has_debug_info", "has_unwind_info", "has_symbols", "has_sources"], False)),
        ("arch", "unknown"),
        ("type", "unknown"),
        ("image_addr", hex(BASE + 0x5000)),
    ]
    assert list(second) == [
        "debug_status",
        "features",
        "arch",
        "type",
        "code_id",
        "code_file",
        "debug_id",
        "debug_file",
        "image_addr",
        "image_size",
    ]
    assert (second["debug_status"], second["arch"], second["image_size"]) == ("found", "x86_64", 0x5000)
    assert second["features"]["has_debug_info"]


def test_candidates_are_shown_on_demand_only(answer_to, server, ledger):
    assert "candidates" not in answer_to(stack(PLAIN))["modules"][0]
    rows = answer_to(stack(PLAIN), options={"dif_candidates": True})["modules"][0]["candidates"]
    assert rows == sorted(rows, key=lambda row: (row["source"], row["location"]))
    found = [row for row in rows if row["download"]["status"] == "ok"]
    assert [list(row) for row in found] == [["source", "location", "download", "debug"]]
    assert found[0]["location"] == f"{server.url}/{ledger.code_id[:2]}/{ledger.code_id[2:]}"
    assert found[0]["debug"] == {"status": "ok"}


def test_without_sources_modules_are_missing(engine, ledger):
    answer = ask(engine, {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]})
    assert answer["modules"][0]["debug_status"] == "missing"
    assert frames(answer)[0]["status"] == "missing"


def test_a_file_that_is_no_object_is_malformed(engine, server, ledger, source):
    server.routes[f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}"] = reply(body=b"\x7fELF but no more than that" * 50)
    answer = ask(engine, {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}, [source], scope="broken")
    assert answer["modules"][0]["debug_status"] == "malformed"
    assert frames(answer)[0]["status"] == "malformed"


def test_nothing_is_asked_for_modules_without_frames(answer_to, server):
    assert answer_to({"frames": [{"instruction_addr": 16}]})["modules"][0]["debug_status"] == "unused"
    assert not server.asked
