"""What the answer says about frames and stacks, field by field, for a small library on a symbol server."""

from __future__ import annotations

import pytest

from tests.engine.run.serving import BASE, INLINED, NOTHING, PLAIN, ask, frames, stack, with_fields


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


def test_what_follows_start_outside_of_all_modules_is_no_frame(answer_to):
    asked = [{"instruction_addr": 32, "function": "_start"}, {"instruction_addr": 16}]
    assert len(frames(answer_to({"frames": asked}))) == 1
    assert len(frames(answer_to({"frames": asked[::-1]}))) == 2
    assert len(frames(answer_to({"frames": [*asked, {"instruction_addr": 16}]}))) == 3
