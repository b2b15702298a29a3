"""Cases that a few lines of a Breakpad file show best: CPUs with aligned instructions, symbols without files."""

from __future__ import annotations

import pytest

from tests.engine.run.serving import ask, frames, http_source
from tests.engine.webserver import reply

BASE = 0x100000
ID = "C0BCC3F19827FE653058404B2831D9E60"
TEXT = """MODULE Linux {arch} {id} demo
FILE 0 /src/demo.c
FUNC 1000 100 0 work
1000 8 10 0
1008 8 11 0
1010 f0 12 0
FUNC 1100 40 0 _start
1100 40 20 0
PUBLIC 2000 0 only_a_name
"""


@pytest.fixture
def look(engine, server):
    def with_arch(*given, arch="x86_64", **fields):
        server.routes[f"/demo/{ID}/demo.sym"] = reply(body=TEXT.format(arch=arch, id=ID).encode())
        module = {"type": "elf", "debug_id": ID, "debug_file": "demo", "code_file": "/opt/demo", "image_addr": BASE}
        asked = {"stacktraces": [{"frames": list(given)}], "modules": [module | {"image_size": 0x3000}]}
        return ask(engine, asked, [http_source(server, id=arch)], scope=arch, **fields)

    return with_arch


def at(offset, **fields):
    return {"instruction_addr": BASE + offset} | fields


@pytest.mark.parametrize(
    ("arch", "expected"),
    [
        ("x86_64", [0x100A, 0x1009]),
        ("x86", [0x100A, 0x1009]),
        ("arm", [0x100A, 0x1008]),
        ("arm64", [0x1008, 0x1004]),
        ("ppc", [0x1008, 0x1004]),
        ("mips", [0x1008, 0x1000]),
    ],
)
def test_addresses_are_cut_to_the_instructions_of_the_cpu(look, arch, expected):
    answer = look(at(0x100A), at(0x100A), arch=arch)
    assert [int(frame["instruction_addr"], 16) - BASE for frame in frames(answer)] == expected
    assert [frame["lineno"] for frame in frames(answer)] == [11 if offset >= 0x1008 else 10 for offset in expected]


def test_a_thumb_address_with_its_low_bit_is_found(look):
    assert frames(look(at(0x1009), arch="arm"))[0]["instruction_addr"] == hex(BASE + 0x1008)


def test_a_symbol_without_a_file_has_line_zero_and_no_path(look):
    frame = frames(look(at(0x2004)))[0]
    assert list(frame) == [
        "status",
        "original_index",
        "instruction_addr",
        "package",
        "symbol",
        "sym_addr",
        "function",
        "lineno",
    ]
    assert (frame["function"], frame["lineno"], frame["sym_addr"]) == ("only_a_name", 0, hex(BASE + 0x2000))


def test_a_symbol_without_a_file_keeps_the_requests_path(look):
    frame = frames(look(at(0x2004, filename="a.c", abs_path="/x/a.c", lineno=99)))[0]
    assert (frame["filename"], frame["abs_path"], frame["lineno"]) == ("a.c", "/x/a.c", 0)
    assert list(frame)[-4:] == ["function", "filename", "abs_path", "lineno"]


def test_a_symbol_with_a_file_does_not(look):
    frame = frames(look(at(0x1004, filename="a.c", abs_path="/x/a.c")))[0]
    assert (frame["filename"], frame["abs_path"]) == ("demo.c", "/src/demo.c")


def test_what_follows_a_symbolicated_start_is_no_frame(look):
    assert [frame["function"] for frame in frames(look(at(0x1004), at(0x1110), {"instruction_addr": 16}))] == [
        "work",
        "_start",
    ]
    assert len(frames(look(at(0x1004), {"instruction_addr": 16}))) == 2


def test_dropped_guesses_between_start_and_the_end_do_not_count(look):
    given = [at(0x1110), at(0x10, trust="scan"), {"instruction_addr": 16}]
    assert [frame["status"] for frame in frames(look(*given))] == ["symbolicated"]
