"""Names that were made to exhaust memory are refused unseen; names of real programs are not."""

from __future__ import annotations

import time

import pydemumble
import pytest

from engine.native.demangle import demangle
from engine.native.expansion import may_demangle
from engine.native.itanium_walk import measure

LIMIT = 1 << 21
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
REAL = [
    "_ZStplIcSt11char_traitsIcESaIcEENSt7__cxx1112basic_stringIT_T0_T1_EERKS8_SA_",
    "_ZNSt3__112__hash_tableINS_17__hash_value_typeIiiEEE6__findIiEENS_15__hash_iteratorIPvEERKT_",
    "_ZNSt6vectorIiSaIiEE9push_backERKi",
    "_ZNKSt8_Rb_treeINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESt4pairIKS5_S5_ESt10_Select1stIS8_ESt4lessIS5_ESaIS8_EE4findERS7_",
    "_ZZ4mainENKUlT_E_clIiEEDaS_",
    "_ZNK1A3getIiEEPFivEv",
    "_ZN12_GLOBAL__N_11fERKSt6vectorISt4pairIiSsESaIS2_EE",
    "_ZThn8_N3Foo3barEv",
    "_ZGVZ4mainE1x",
]


def doubling(levels: int) -> str:
    """A function whose every parameter is a pair of the parameter before."""
    references = ["S_", *[f"S{digit}_" for digit in DIGITS]]
    return "_Z1fSt4pairIiiE" + "".join(f"S_I{references[at + 1] * 2}E" for at in range(levels))


def test_the_bomb_is_one():
    assert len(pydemumble.demangle(doubling(12))) > 200_000


@pytest.mark.parametrize("levels", [16, 20, 30])
def test_a_name_that_doubles_and_doubles_stays_as_it_is(levels):
    name = doubling(levels)
    started = time.monotonic()
    assert demangle(name, "cpp") is None
    assert not may_demangle(name)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "name",
    [
        "_R" + "INvC1a1f" + "T" * 30 + "l" + "B7_B7_E" * 30,
        "?f@@YAXP6AX" + "0" * 60 + "@Z@Z",
        "_Z1fIXsr3fooIT_E5valueEEv" + "S0_IS0_S0_E" * 30,
        "_Z" + "3foo" * 5000,
    ],
)
def test_what_cannot_be_measured_and_may_be_endless_is_refused(name):
    assert not may_demangle(name)


@pytest.mark.parametrize("name", REAL)
def test_real_names_are_measured_closely(name):
    length = len(pydemumble.demangle(name))
    assert 0.9 * length <= measure(name[2:], LIMIT) <= 8 * length + 100
    assert may_demangle(name)


@pytest.mark.parametrize("levels", range(1, 12))
def test_the_measure_follows_the_doubling(levels):
    name = doubling(levels)
    assert measure(name[2:], LIMIT) >= len(pydemumble.demangle(name))
