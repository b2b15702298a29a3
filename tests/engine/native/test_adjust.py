"""Which address of a frame is looked up, compared with the library's own heuristic where it has one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from symbolic import find_best_instruction
from symbolic.common import arch_get_ip_reg_name

from engine.native.adjust import StackFacts, aligned, first_frame, previous, stepping

ARCHS = [
    "x86",
    "x86_64",
    "arm",
    "armv7",
    "arm64",
    "arm64e",
    "arm64_32",
    "ppc",
    "ppc64",
    "mips",
    "mips64",
    "wasm32",
    "unknown",
]
addresses = st.integers(min_value=0x100, max_value=2**63)
archs = st.sampled_from(ARCHS)


@given(addresses, archs)
def test_a_callers_address_is_the_instruction_before(address, arch):
    assert previous(address, stepping(arch)) == find_best_instruction(address, arch, crashing_frame=False)


@given(addresses, archs)
def test_an_exact_address_is_only_aligned(address, arch):
    assert aligned(address, stepping(arch)) == find_best_instruction(address, arch, crashing_frame=True)


@given(addresses, archs, st.sampled_from([None, 4, 6, 8, 10, 11]), st.one_of(st.none(), addresses))
def test_the_first_frame_follows_the_heuristic(address, arch, signal, register):
    name = arch_get_ip_reg_name(arch)
    registers = {name: register} if name and register is not None else {}
    expected = find_best_instruction(
        address, arch, crashing_frame=True, signal=signal, ip_reg=register if name else None
    )
    assert first_frame(address, stepping(arch), StackFacts(signal, registers)) == expected


@given(archs)
def test_the_program_counter_has_the_librarys_name(arch):
    assert stepping(arch).ip_register == arch_get_ip_reg_name(arch)


def test_a_program_counter_of_zero_is_a_program_counter():
    assert first_frame(0x1000, stepping("x86_64"), StackFacts(11, {"rip": 0})) == 0xFFF


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "mips"])
def test_before_the_first_instruction_lies_nothing(arch):
    assert previous(0, stepping(arch)) < 0
