"""What the soak says of a run: errors, memory that grows, crashes that wait, floods that nothing refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from symbolic import Archive

from bench.soak import modules, plots, verdict
from bench.soak.overload import Flood
from bench.soak.pacing import Kind, Load, Outcome
from bench.soak.watching import MB, Look

CACHE = 96 * MB
GOOD = Flood(20.0, 900, 400, 0.05, 0.4, 0.3, 1.0, 4.0)


def looks(*sizes: float, age: float = 1.0, cache: float = 50 * MB) -> list[Look]:
    return [
        Look(number * 5.0, {"web": size / 2, "jobs": size / 2}, age, 0.0, cache) for number, size in enumerate(sizes)
    ]


def test_a_run_without_errors_and_with_flat_memory_breaks_no_rule() -> None:
    fine = [Outcome("page", 1.0, 0.02), Outcome("upload", 2.0, 0.3)]

    assert list(verdict.steady(fine, looks(*[400.0] * 20), CACHE)) == []
    assert list(verdict.flooded(GOOD)) == []


def test_every_request_that_failed_is_named_with_its_reason() -> None:
    (said,) = verdict.steady([Outcome("page", 12.0, 0.1, "Refused: 500")], looks(*[400.0] * 20), CACHE)

    assert said == "page at 12 s: Refused: 500"


def test_memory_that_grows_after_the_warm_up_is_no_flat_memory() -> None:
    warming = [100.0, 200.0, *[400.0] * 18]
    leaking = [400.0 + 20 * number for number in range(20)]

    assert list(verdict.steady([], looks(*warming), CACHE)) == []
    assert "memory grew" in next(verdict.steady([], looks(*leaking), CACHE))


def test_a_crash_that_waits_too_long_and_a_cache_beyond_its_limit_are_said() -> None:
    waited, cached = verdict.steady([], looks(*[400.0] * 20, age=31.0, cache=200 * MB), CACHE)

    assert waited == "a crash waited for 31 s"
    assert cached == "the cache took 200 MB of 96"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"refused": 0}, "nothing was refused"),
        ({"refused_median": 3.0}, "half of the refusals"),
        ({"livez": float("inf")}, "the health check"),
        ({"calm": 31.0}, "requests were still slow"),
        ({"drained": float("inf")}, "crashes were still waiting"),
    ],
)
def test_a_flood_that_is_not_refused_quickly_or_leaves_traces_is_said(change: dict[str, float], said: str) -> None:
    (problem,) = verdict.flooded(replace(GOOD, **change))

    assert said in problem


def test_a_load_keeps_its_pace_counts_from_when_a_request_was_due_and_takes_failures_as_outcomes() -> None:
    def send(number: int) -> None:
        if number == 3:
            raise ValueError("the fourth")

    load = Load([Kind("one", 100, send), Kind("two", 50, lambda _: None)], 0.1)
    load.run()

    told = {one.kind: one for one in verdict.figures(load.outcomes)}
    assert (told["one"].count, told["one"].failed, told["two"].count) == (10, 1, 5)
    assert [one.problem for one in load.outcomes if one.problem] == ["ValueError: the fourth"]
    assert all(one.seconds >= 0 for one in load.outcomes)


def test_every_module_of_the_endless_server_is_a_file_with_the_debug_id_that_the_request_names() -> None:
    asked = modules.request(range(7, 9))

    for number, module in zip(range(7, 9), asked["modules"], strict=True):
        (found,) = Archive.from_bytes(modules.symbols(number)).iter_objects()
        assert found.debug_id == module["debug_id"]


def test_the_pictures_are_drawings_without_scripts(tmp_path: Path) -> None:
    outcomes = [Outcome("page", float(number), 0.01 * (number + 1)) for number in range(40)]

    for path in plots.draw(tmp_path, looks(*[400.0] * 20), outcomes):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert "path" in tags
        assert "script" not in tags
