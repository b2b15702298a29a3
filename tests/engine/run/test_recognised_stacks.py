"""Stacks that came before are answered as those that never did, byte by byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.native import outlines, stencils
from engine.native.frames import Writer
from engine.native.ground import Ground
from engine.outgoing import Deadline
from engine.run import BadSchema, Engine, Gate, decode_request
from tests.engine.run.serving import BASE, FIXTURES, INLINED, NOTHING, PLAIN, http_source, serve_elf
from tests.engine.stores import store_in
from tests.engine.webserver import web_server

PAGE = 0x1000
TRUSTS = [None, "none", "scan", "cfiscan", "fp", "cfi", "prewalked", "context"]
# Before the module, at its start, in code with inlined functions and without, in none, on another page.
OFFSETS = [-0x2000, -1, 0, 1, NOTHING, INLINED, INLINED + 1, PLAIN, PLAIN + 4, PAGE, PAGE + 1, 2 * PAGE, 0x3FFF]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with store_in(tmp_path_factory.mktemp("recognised")) as store:
        yield Engine(store, Gate())


@pytest.fixture(scope="module")
def served():
    with web_server() as server:
        data = (FIXTURES / "crash/builds/nofp/libledger.so").read_bytes()
        yield serve_elf(server, data, "libledger.so"), http_source(server)


def answer(engine, source, request):
    return engine.symbolicate(request, [source], scope="p1", deadline=Deadline.after(60))


@st.composite
def frame(draw):
    """A frame by the module it counts from and the offset, with what it says besides."""
    fields = {"trust": draw(st.sampled_from(TRUSTS))}
    fields |= draw(st.sampled_from([{}] * 12 + EXTRAS))
    return draw(st.integers(0, 3)), draw(st.sampled_from(OFFSETS)), fields


EXTRAS = [
    {"platform": "native"},
    {"function": "_start"},
    {"function": "_Z3foov"},
    {"package": "/bin/other", "vars": {"at": "0x7ffe00001234"}},
    {"function": '"0x7ffe00001234"', "filename": "a5c3000100040123"},
    {"adjust_instruction_addr": True},
    {"adjust_instruction_addr": False},
    {"sym_addr": "0x7f0000001000"},
    {"function_id": "0x12"},
    {"addr_mode": "rel:0"},
    {"addr_mode": "abs"},
    {"filename": "ä.c", "abs_path": "/src/ä.c", "lineno": 7},
]


@st.composite
def shape(draw):
    """Stacks and modules, but for where they are."""
    stacks = draw(st.lists(st.lists(frame(), max_size=6), min_size=1, max_size=3))
    return {
        "stacks": stacks,
        "registers": draw(st.sampled_from([None, {}, {"rip": "same"}, {"rip": "0x12", "rax": "0x0"}, {"pc": 3}])),
        "signal": draw(st.sampled_from([None, None, 6, 11])),
        "order": draw(st.sampled_from([None, None, None, "callee_first", "caller_first"])),
        "thread": draw(st.sampled_from([{}, {"thread_id": 7, "thread_name": "m", "is_requesting": True}])),
        "missing": draw(st.booleans()),
    }


@st.composite
def layout(draw):
    """Where modules are: pages mostly, sometimes none, sometimes one within the other."""
    start = draw(st.sampled_from([BASE, 0x10000000, 0x140000000, 0x7FF600000000, 0, 0x1000, 0x2000]))
    step = draw(st.sampled_from([0x10000, 0x100000, 0x4000, 0x2000, 0, 0x10008]))
    size = draw(st.sampled_from([0x5000, 0x4000, 0x4008, None, 0x800]))
    return start + draw(st.integers(0, 64)) * PAGE, step, size


def request_of(shape, place, image):
    start, step, size = place
    modules = [image.module(start, image_size=size)]
    modules.append(image.module(start + step, image_size=size, code_file="/opt/again/libledger.so"))
    if shape["missing"]:
        modules.append(
            {"type": "elf", "debug_id": "a" * 32, "image_addr": hex(start + 2 * step), "image_size": size or 0x9000}
        )
    body = {"modules": modules, "stacktraces": [stack_of(shape, frames, start, step) for frames in shape["stacks"]]}
    if shape["signal"] is not None:
        body["signal"] = shape["signal"]
    if shape["order"]:
        body["options"] = {"frame_order": shape["order"], "dif_candidates": True}
    return json.dumps(body).encode()


def stack_of(shape, frames, start, step):
    written = []
    for module, offset, fields in frames:
        address = max(start + module * step + offset, 0)
        if fields.get("addr_mode") == "rel:0":
            address = max(offset, 0)
        written.append({"instruction_addr": hex(address)} | {key: value for key, value in fields.items() if value})
    stack = {"frames": written} | shape["thread"]
    if shape["registers"] is not None:
        first = written[0]["instruction_addr"] if written else "0x1"
        stack["registers"] = {k: first if v == "same" else v for k, v in shape["registers"].items()}
    return stack


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shape=shape(), places=st.lists(layout(), min_size=4, max_size=6))
def test_what_is_remembered_of_stacks_changes_no_answer(engine, served, shape, places):
    image, source = served
    # The first few teach the engine the stack, wherever it is.
    for place in [places[0]] * 3 + places + places[:2]:
        body = request_of(shape, place, image)
        assert answer(engine, source, engine.decode(body)) == answer(engine, source, decode_request(body))


def plain_stack(start, *offsets):
    return {"frames": [{"instruction_addr": hex(start + offset), "trust": "cfi"} for offset in offsets]}


def taught(engine, source, image, *offsets):
    """A body for a start, after the engine came to know the stack of these offsets; and whether it knows it."""

    def body_at(start):
        module = image.module(start, image_size=0x5000)
        return json.dumps({"modules": [module], "stacktraces": [plain_stack(start, *offsets)]}).encode()

    for times in range(4):
        answer(engine, source, engine.decode(body_at(BASE + times * PAGE)))
    return body_at


def test_a_stack_is_recognised_wherever_its_module_is(engine, served, monkeypatch):
    image, source = served
    body_at = taught(engine, source, image, PLAIN, INLINED, NOTHING, PAGE)
    body = body_at(0x7FFF12345000)
    expected = answer(engine, source, decode_request(body))
    request = engine.decode(body)
    assert request.stacktraces[0].known is not None
    monkeypatch.setattr(Writer, "write", None)  # nothing is written frame by frame
    assert answer(engine, source, request) == expected


@pytest.mark.parametrize("modules", [None, []], ids=["none", "empty"])
def test_stacks_of_no_module_may_come_again_and_again(engine, modules):
    body = json.dumps({"modules": modules, "stacktraces": [{"frames": [{"instruction_addr": "0x7f6bde3a022e"}]}]})

    read = [engine.decode(body.encode()) for _ in range(4)]

    assert [[thread.frames[0].instruction_addr for thread in request.stacktraces] for request in read] == [
        ["0x7f6bde3a022e"]
    ] * 4


@pytest.mark.parametrize("signal", [None, 11, 6])
def test_after_a_crash_signal_each_program_counter_decides_anew(engine, served, signal):
    image, source = served
    for rip in [BASE + PLAIN] * 4 + [BASE, BASE + PLAIN, BASE]:
        stack = plain_stack(BASE, PLAIN, INLINED) | {"registers": {"rip": hex(rip)}}
        body = json.dumps({"signal": signal, "modules": [image.module(BASE)], "stacktraces": [stack]}).encode()
        assert answer(engine, source, engine.decode(body)) == answer(engine, source, decode_request(body))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace('"cfi"', '"fpx"'), id="unknown trust"),
        pytest.param(lambda text: text.replace('"trust": "cfi"}]', '"lineno": -1}]'), id="bad line"),
    ],
)
def test_a_body_that_is_no_request_is_refused_in_the_same_words(engine, served, change):
    image, source = served
    body = change(taught(engine, source, image, PLAIN, INLINED)(BASE).decode()).encode()
    with pytest.raises(BadSchema) as plain:
        decode_request(body)
    with pytest.raises(BadSchema) as quick:
        engine.decode(body)
    assert quick.value.message == plain.value.message


def test_stencils_stay_within_their_bytes(engine, served):
    image, source = served
    engine = Engine(engine.store, Gate())
    engine.stencils = stencils.Stencils(limit=20_000)
    for offset in range(40):
        taught(engine, source, image, PLAIN, INLINED + offset)
    known = engine.stencils._known
    held = [stencil for generation in (known._young, known._old) for stencil, _ in generation.values()]
    assert len(held) >= 2
    assert sum(stencil.size for stencil in held) <= 20_000


def test_addresses_within_other_texts_are_no_holes():
    raw = b'[{"instruction_addr": "0x7f0000001234", "vars": {"a": "0x7f0000001234"}}]'
    assert outlines.outlined(raw, outlines.FRAMES.decode(raw), [0x7F0000001234], Ground([], [], [])) is None
