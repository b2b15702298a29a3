"""Compiled rules are remembered, within bounds, and files stay open, within bounds."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from engine.errors import LookupFailure
from engine.formats.cfi import build_index
from engine.unwind import ModuleMap, OpenCfis, RuleBudget
from engine.unwind.cpus import CPUS
from tests.engine.unwind.support import Module, rules_of

TEXT = "\n".join(f"STACK CFI INIT {at:x} 10 .cfa: $rsp {at + 8} + .ra: .cfa -8 + ^" for at in range(0, 0x1000, 0x10))
X86_64 = CPUS["x86_64"]


def test_a_rule_is_compiled_once() -> None:
    compiled = rules_of(TEXT).compiled(X86_64)
    assert compiled.find(0x25) is compiled.find(0x25)
    assert compiled.find(0x25) is not None


def test_that_there_is_no_rule_is_remembered_too() -> None:
    compiled = rules_of(TEXT).compiled(X86_64)
    assert (compiled.find(0x2000), compiled.find(0x2000), 0x2000 in compiled.young) == (None, None, True)


def test_a_dump_of_another_processor_does_not_change_what_a_file_means() -> None:
    rules = rules_of("STACK CFI INIT 0 10 .cfa: x29 16 + .ra: x30")
    arm, intel = (rules.compiled(CPUS[cpu]).find(4) for cpu in ("arm64", "x86_64"))
    assert arm is not None
    assert intel is not None
    assert (arm.ra, intel.ra) == (("lr",), ("x30",))


def test_all_modules_together_remember_no_more_than_the_budget() -> None:
    budget = RuleBudget(100)
    modules = [rules_of(TEXT, budget).compiled(X86_64) for _ in range(3)]
    for at in range(0x1000):
        modules[at % 3].find(at)
        assert sum(len(module.young) + len(module.old) for module in modules) <= 100


def test_a_rule_counts_by_its_size() -> None:
    long = " ".join(f"$r{at}: .cfa" + " 1 +" * 100 for at in range(50))
    text = "\n".join(f"STACK CFI INIT {at:x} 1 .cfa: $rsp 8 + .ra: .cfa ^ {long}" for at in range(64))
    compiled = rules_of(text, RuleBudget(1000)).compiled(X86_64)
    for at in range(64):
        compiled.find(at)
    assert 2 <= len(compiled.young) + len(compiled.old) <= 20


def test_what_is_used_again_is_kept() -> None:
    compiled = rules_of(TEXT, RuleBudget(100)).compiled(X86_64)
    kept = compiled.find(0)
    for at in range(1, 0x400):
        compiled.find(at)
        assert compiled.find(0) is kept


def test_files_stay_open_by_identity(tmp_path: Path) -> None:
    path = written(tmp_path)
    opened = OpenCfis()
    rules = opened.get("one", path)
    path.unlink()
    assert opened.get("one", path) is rules
    assert rules.covers(0x15)
    assert rules.compiled(X86_64).find(0x15) is not None


def test_no_more_files_than_the_limit_stay_open(tmp_path: Path) -> None:
    opened, path = OpenCfis(4), written(tmp_path)
    for number in range(20):
        opened.get(str(number), path)
    assert len(opened) <= 4


def test_a_file_that_holds_no_rules_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "not"
    path.write_bytes(b"something else entirely" * 10)
    with pytest.raises(LookupFailure):
        OpenCfis().get("one", path)


def written(directory: Path) -> Path:
    target = BytesIO()
    build_index(TEXT.encode(), target)
    path = directory / "rules"
    path.write_bytes(target.getvalue())
    return path


def test_a_module_map_knows_the_module_by_its_place_in_the_dump() -> None:
    modules = ModuleMap([Module(0x3000, 0x100), Module(0x1000, 0x100), Module(0x2000, 0)])
    assert [modules.find(at) for at in (0xFFF, 0x1000, 0x10FF, 0x1100, 0x2000, 0x3000, 0x3100)] == [
        None, 1, 1, None, None, 0, None,
    ]  # fmt: skip
    assert (modules.lowest, modules.highest) == (0x1000, 0x3100)
    assert ModuleMap([]).find(0) is None
