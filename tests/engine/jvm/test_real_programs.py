"""Errors of a program that ProGuard obfuscated: stacks go in as they were printed, those of the source come out."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.jvm.mapping import Mapping, check_mapping
from engine.jvm.stacks import Retracer
from engine.jvm.wire import JvmStacktrace
from tests.engine.jvm.programs import VARIANTS, mapping_of, places, thrown, written


def readable(variant: str, traces: list[dict]) -> list[dict]:
    retracer = Retracer([Mapping(mapping_of(variant))])
    given = msgspec.json.decode(json.dumps(traces), type=list[JvmStacktrace])
    return [msgspec.to_builtins(retracer.stack(trace, caller_first=False)) for trace in given]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_stack_of_an_error(variant):
    obfuscated = thrown(variant)
    assert [places(trace) for trace in obfuscated] != [places(trace) for trace in written()]
    assert [places(trace) for trace in readable(variant, obfuscated)] == [places(trace) for trace in written()]


def test_one_frame_stands_for_all_that_was_inlined_into_it():
    *_, cause = thrown("optimized")
    (found,) = readable("optimized", [cause | {"frames": cause["frames"][:1]}])
    assert [frame["function"] for frame in found["frames"]] == ["check", "find", "worth", "take", "lambda$main$0"]
    assert {frame["index"] for frame in found["frames"]} == {0}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_proguard_writes_counts_as_a_mapping(variant):
    check_mapping(memoryview(mapping_of(variant)))
