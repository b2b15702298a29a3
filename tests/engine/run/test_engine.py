"""What the engine answers, field by field, for a small library that is looked up on a symbol server."""

from __future__ import annotations

import json
import threading
import time

import pytest

from engine.errors import DeadlineExceeded
from engine.native.frames import Writer
from engine.outgoing import Deadline
from engine.run import decode_request
from tests.engine.run.serving import ask, frames, http_source
from tests.engine.webserver import hang, reply

BASE = 0x7F0000000000
# Four functions inlined into each other, and a plain one, of the `nofp` build.
INLINED, PLAIN = 0x10F5, 0x12B9
# The headers of the file, before its first function.
NOTHING = 0x10


def stack(*offsets, base=BASE, **fields):
    return {"frames": [{"instruction_addr": hex(base + offset)} for offset in offsets]} | fields


def with_fields(offset, **fields):
    return {"instruction_addr": hex(BASE + offset)} | fields


@pytest.fixture
def answer_to(engine, ledger, source):
    """Ask about stacks in the library, which lies at BASE."""

    def ask_about(*stacks, modules=None, **fields):
        known = [ledger.module(BASE)] if modules is None else modules
        return ask(engine, {"stacktraces": list(stacks), "modules": known} | fields, [source])

    return ask_about


def test_a_symbolicated_frame_has_these_fields_in_this_order(answer_to):
    frame = frames(answer_to({"frames": [with_fields(PLAIN, trust="cfi")]}))[0]
    assert list(frame.items()) == [
        ("status", "symbolicated"),
        ("original_index", 0),
        ("instruction_addr", hex(BASE + PLAIN)),
        ("package", "/opt/app/libledger.so"),
        ("lang", "cpp"),
        ("symbol", frame["symbol"]),
        ("sym_addr", frame["sym_addr"]),
        ("function", frame["function"]),
        ("filename", "ledger.cpp"),
        ("abs_path", frame["abs_path"]),
        ("lineno", frame["lineno"]),
        ("trust", "cfi"),
    ]
    assert frame["symbol"].startswith("_ZN6ledger")
    assert frame["function"].startswith("ledger::(anonymous namespace)::Walk<1>::down(")
    assert BASE < int(frame["sym_addr"], 16) <= BASE + PLAIN


def test_inlined_frames_share_index_and_address_and_only_the_outermost_has_sym_addr(answer_to):
    found = frames(answer_to(stack(PLAIN, INLINED)))[1:]
    assert len(found) == 4
    assert {(frame["original_index"], frame["instruction_addr"]) for frame in found} == {(1, hex(BASE + INLINED - 1))}
    assert ["sym_addr" in frame for frame in found] == [False, False, False, True]
    assert [frame["lineno"] for frame in found] == [17, 21, 26, 29]


def test_caller_first_reverses_everything_but_counts_from_the_innermost(answer_to):
    usual = frames(answer_to(stack(PLAIN, INLINED)))
    reverse = frames(answer_to(stack(INLINED, PLAIN), options={"frame_order": "caller_first"}))
    assert reverse == usual[::-1]


def test_the_answer_has_the_requests_signal_first(answer_to):
    assert list(answer_to(signal=11).items())[:2] == [("status", "completed"), ("signal", 11)]
    assert list(answer_to()) == ["status", "stacktraces", "modules"]


def test_stacks_keep_their_own_fields(answer_to):
    given = {
        "thread_id": 2**64 - 1,
        "thread_name": 'a "b"',
        "is_requesting": False,
        "registers": {"rsp": "0X10", "rip": 1},
    }
    found = answer_to(given | {"frames": []})["stacktraces"][0]
    assert list(found) == ["thread_id", "thread_name", "is_requesting", "registers", "frames"]
    assert list(found["registers"].items()) == [("rip", "0x1"), ("rsp", "0x10")]
    assert answer_to({"frames": [], "registers": {}})["stacktraces"] == [{"frames": []}]


def test_the_adjusted_address_is_answered_and_failed_frames_keep_theirs(answer_to):
    found = frames(answer_to(stack(PLAIN, PLAIN, NOTHING)))
    assert [frame["instruction_addr"] for frame in found] == [
        hex(BASE + PLAIN),
        hex(BASE + PLAIN - 1),
        hex(BASE + NOTHING),
    ]
    assert found[2]["status"] == "missing_symbol"


def test_a_frame_may_say_how_its_address_is_meant(answer_to):
    told = [with_fields(PLAIN, adjust_instruction_addr=value) for value in (True, False)]
    found = frames(answer_to({"frames": [*told, with_fields(PLAIN)]}))
    assert [int(frame["instruction_addr"], 16) - BASE - PLAIN for frame in found] == [-1, 0, -1]
    assert [frame.get("adjust_instruction_addr") for frame in found] == [True, False, None]


def test_once_one_frame_says_so_the_first_frame_is_a_caller_too(answer_to):
    found = frames(answer_to({"frames": [with_fields(PLAIN), with_fields(PLAIN, adjust_instruction_addr=False)]}))
    assert [int(frame["instruction_addr"], 16) - BASE - PLAIN for frame in found] == [-1, 0]


@pytest.mark.parametrize(
    ("signal", "rip", "expected"), [(11, BASE, -1), (11, BASE + PLAIN, 0), (6, BASE, 0), (None, BASE, 0)]
)
def test_after_a_crash_signal_the_program_counter_decides(answer_to, signal, rip, expected):
    found = frames(answer_to(stack(PLAIN, registers={"rip": hex(rip)}), signal=signal))
    assert int(found[0]["instruction_addr"], 16) - BASE - PLAIN == expected


def test_an_address_before_the_module_is_no_symbol(answer_to):
    assert frames(answer_to(stack(PLAIN, 0)))[1]["status"] == "missing_symbol"


def test_failed_frames_keep_what_they_had_but_the_modules_path(answer_to):
    given = {
        "platform": "native",
        "function_id": "0X7",
        "package": "gone",
        "lang": "cpp",
        "symbol": "s",
        "sym_addr": 5,
        "function": "f",
        "filename": "a",
        "abs_path": "/a",
        "lineno": 3,
        "pre_context": ["x"],
        "context_line": "y",
        "post_context": ["z"],
        "source_link": "l",
        "in_app": False,
        "vars": {"a": "int"},
        "trust": "fp",
    }
    found = frames(answer_to({"frames": [with_fields(NOTHING, **given)]}))[0]
    assert list(found) == [
        "status",
        "original_index",
        "platform",
        "instruction_addr",
        "function_id",
        "package",
        "lang",
        "symbol",
        "sym_addr",
        "function",
        "filename",
        "abs_path",
        "lineno",
        "pre_context",
        "context_line",
        "post_context",
        "source_link",
        "in_app",
        "vars",
        "trust",
    ]
    changed = {"function_id": "0x7", "sym_addr": "0x5", "package": "/opt/app/libledger.so"}
    assert {key: found[key] for key in given} == given | changed


def test_a_module_without_a_path_clears_the_package(answer_to, ledger):
    asked = {"frames": [with_fields(NOTHING, package="gone"), with_fields(PLAIN, package="gone")]}
    found = frames(answer_to(asked, modules=[ledger.module(BASE, code_file=None)]))
    assert ["package" in frame for frame in found] == [False, False]


def test_a_frame_in_no_module_keeps_its_package(answer_to):
    frame = frames(answer_to({"frames": [{"instruction_addr": 16, "package": "kept", "trust": "none"}]}))[0]
    assert frame == {"status": "unknown_image", "original_index": 0, "instruction_addr": "0x10", "package": "kept"}


def test_empty_lists_are_left_out(answer_to):
    frame = frames(
        answer_to({"frames": [{"instruction_addr": 16, "pre_context": [], "post_context": [], "vars": {}}]})
    )[0]
    assert list(frame) == ["status", "original_index", "instruction_addr"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"function": "_ZN1A1fEv"}, ("_ZN1A1fEv", "A::f()")),
        ({"symbol": "_ZN1A1fEv"}, ("_ZN1A1fEv", "A::f()")),
        ({"function": "main"}, (None, "main")),
        ({"symbol": "main"}, ("main", None)),
        ({"symbol": "_ZN1A1fEv", "function": "kept"}, ("_ZN1A1fEv", "kept")),
        ({"symbol": "_ZN1A1fEv", "lang": "rust"}, ("_ZN1A1fEv", None)),
    ],
)
def test_names_of_failed_frames_are_made_readable(answer_to, given, expected):
    frame = frames(answer_to({"frames": [{"instruction_addr": 16} | given]}))[0]
    assert (frame.get("symbol"), frame.get("function")) == expected


def test_symbolicated_frames_keep_platform_and_function_id(answer_to):
    frame = frames(
        answer_to({"frames": [with_fields(PLAIN, platform="cocoa", function_id=5, in_app=True, vars={"a": "b"})]})
    )[0]
    assert list(frame)[:5] == ["status", "original_index", "platform", "instruction_addr", "function_id"]
    assert (frame["platform"], frame["function_id"]) == ("cocoa", "0x5")
    assert "in_app" not in frame
    assert "vars" not in frame


def test_platform_alone_takes_the_fast_way_to_the_same_answer(answer_to):
    plain = frames(answer_to(stack(PLAIN, INLINED)))
    marked = frames(
        answer_to({"frames": [with_fields(PLAIN, platform="native"), with_fields(INLINED, platform="native")]})
    )
    assert [frame.pop("platform") for frame in marked] == ["native"] * 5
    assert marked == plain


def test_guesses_that_lead_nowhere_are_dropped(answer_to):
    guesses = [with_fields(offset, trust="scan") for offset in (NOTHING, PLAIN)] + [
        {"instruction_addr": 16, "trust": "scan"}
    ]
    found = frames(answer_to({"frames": guesses}))
    assert [(frame["original_index"], frame["status"]) for frame in found] == [(1, "symbolicated")]


def test_a_guess_in_a_module_without_a_file_stays(engine):
    asked = {
        "stacktraces": [{"frames": [with_fields(1, trust="scan")]}],
        "modules": [{"type": "elf", "image_addr": BASE}],
    }
    assert frames(ask(engine, asked))[0]["status"] == "missing"


def test_a_module_all_of_whose_frames_were_dropped_counts_as_unused(answer_to):
    guesses = {"frames": [with_fields(NOTHING, trust="scan")]}
    answer = answer_to(guesses, options={"dif_candidates": True})
    module = answer["modules"][0]
    assert module["debug_status"] == "unused"
    assert module["candidates"]
    kept = answer_to(guesses, options={"apply_source_context": False})
    assert kept["modules"][0]["debug_status"] == "found"


def test_what_follows_start_outside_of_all_modules_is_no_frame(answer_to):
    asked = [{"instruction_addr": 32, "function": "_start"}, {"instruction_addr": 16}]
    assert len(frames(answer_to({"frames": asked}))) == 1
    assert len(frames(answer_to({"frames": asked[::-1]}))) == 2
    assert len(frames(answer_to({"frames": [*asked, {"instruction_addr": 16}]}))) == 3


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


def test_relative_addresses_in_a_module_with_an_address_are_answered_absolutely(answer_to):
    asked = {
        "frames": [
            {"instruction_addr": PLAIN, "addr_mode": "rel:0"},
            {"instruction_addr": INLINED, "addr_mode": "rel:0"},
        ]
    }
    assert frames(answer_to(asked)) == frames(answer_to(stack(PLAIN, INLINED)))


def test_without_an_absolute_address_only_relative_frames_are_found(answer_to, ledger):
    asked = [{"instruction_addr": hex(PLAIN), "addr_mode": "rel:0"}] * 2 + [{"instruction_addr": hex(PLAIN)}]
    found = frames(answer_to({"frames": asked}, modules=[ledger.module(0)]))
    assert [frame["status"] for frame in found] == ["symbolicated", "symbolicated", "missing_symbol"]
    assert [frame.get("addr_mode") for frame in found] == ["rel:0", "rel:0", None]
    assert {frame["instruction_addr"] for frame in found} == {hex(PLAIN)}
    assert list(found[0])[:4] == ["status", "original_index", "addr_mode", "instruction_addr"]


def test_relative_to_a_module_that_is_not_there_is_in_no_module(answer_to):
    frame = frames(answer_to({"frames": [{"instruction_addr": 5, "addr_mode": "rel:7"}]}))[0]
    assert frame == {"status": "unknown_image", "original_index": 0, "addr_mode": "rel:7", "instruction_addr": "0x5"}


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


def test_a_second_request_asks_nobody_wherever_the_library_lies_now(engine, ledger, source, server, monkeypatch):
    first = ask(engine, {"stacktraces": [stack(PLAIN, INLINED)], "modules": [ledger.module(BASE)]}, [source])
    asked = len(server.asked)
    monkeypatch.setattr(engine.symcaches, "get", None)
    moved = BASE + 0x123000
    second = ask(
        engine, {"stacktraces": [stack(PLAIN, INLINED, base=moved)], "modules": [ledger.module(moved)]}, [source]
    )
    assert len(server.asked) == asked
    assert [frame["function"] for frame in frames(second)] == [frame["function"] for frame in frames(first)]
    for one, other in zip(frames(first), frames(second), strict=True):
        for field in {"instruction_addr", "sym_addr"} & one.keys():
            assert int(other[field], 16) - int(one[field], 16) == 0x123000


def test_scopes_and_sources_are_not_mixed_up_in_memory(engine, ledger, server):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    ask(engine, asked, [http_source(server)])
    server.routes.clear()
    for sources, scope in (
        ([http_source(server)], "other"),
        ([http_source(server, owner="umbrella")], "p1"),
        ([], "p1"),
    ):
        assert ask(engine, asked, sources, scope=scope)["modules"][0]["debug_status"] == "missing"


def test_a_symcache_that_vanished_is_made_again(engine, ledger, source, store):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    ask(engine, asked, [source], scope="vanishing")
    for resolved, _ in engine.modules._known._young.values():
        if resolved.answer.path is not None:
            resolved.answer.path.unlink()
    engine.symcaches._open.clear()
    fresh = {"stacktraces": [stack(PLAIN, INLINED)], "modules": [ledger.module(BASE)]}
    assert {frame["status"] for frame in frames(ask(engine, fresh, [source], scope="vanishing"))} == {"symbolicated"}


def test_one_modules_trouble_is_its_own(engine, ledger, source, server):
    class Broken:
        id, cache_key, shared = "broken", "00", False

        def locate(self, wanted, file_types):
            raise ZeroDivisionError

        def fetch(self, location, wanted, target, deadline):
            raise ZeroDivisionError

    answer = ask(engine, {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}, [Broken()])
    assert answer["modules"][0]["debug_status"] in {"other", "fetching_failed", "missing"}
    assert frames(answer)[0]["status"] == "missing"


def test_the_end_of_the_time_is_told(engine, server, ledger):
    server.default = hang
    asked = {"stacktraces": [stack(PLAIN)], "modules": [{"type": "elf", "code_id": "ab" * 20, "image_addr": BASE}]}
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        ask(engine, asked, [http_source(server)], scope="slow", seconds=0.5)
    assert time.monotonic() - started < 5


def test_requests_for_one_cold_module_share_its_lookup(engine, server, ledger, source):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    path = f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}"
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(engine, asked, [source], scope="together")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [frames(answer)[0]["status"] for answer in answers] == ["symbolicated"] * 8
    assert server.paths.count(path) == 1


def test_many_cold_modules_are_waited_for_side_by_side(engine, server):
    def slow(asked, connection):
        time.sleep(0.2)
        reply("404 Not Found")(asked, connection)

    server.default = slow
    modules = [
        {"type": "elf", "code_id": f"{at:040x}", "image_addr": BASE + at * 0x1000, "image_size": 0x800}
        for at in range(1, 9)
    ]
    asked = {"stacktraces": [stack(*[at * 0x1000 for at in range(1, 9)])], "modules": modules}
    started = time.monotonic()
    answer = ask(engine, asked, [http_source(server)], scope="many")
    elapsed = time.monotonic() - started
    assert {module["debug_status"] for module in answer["modules"]} == {"missing"}
    assert elapsed < 8 * 0.2 * 2


def test_every_stack_is_written_behind_the_gate(engine, ledger, source, monkeypatch):
    held = []
    write = Writer.write
    monkeypatch.setattr(Writer, "write", lambda self, placed: (held.append(engine.gate._free), write(self, placed))[1])
    ask(engine, {"stacktraces": [stack(PLAIN)] * 3, "modules": [ledger.module(BASE)]}, [source])
    assert set(held) == {0}
    assert engine.gate._free == 1


def test_the_answer_is_json_that_says_completed_first(engine):
    body = engine.symbolicate(decode_request(b"{}"), [], scope="p1", deadline=Deadline.after(5))
    assert body == b'{"status":"completed","stacktraces":[],"modules":[]}'
    assert json.loads(body)
