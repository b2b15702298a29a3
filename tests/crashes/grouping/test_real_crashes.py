"""Real crashes of one program in several builds: with and without frame pointers, with older debug information."""

from __future__ import annotations

import pytest

from crashes.grouping.fingerprints import grouping_of
from tests.crashes.reports.conftest import environment  # noqa: F401 - pytest finds fixtures by name
from tests.crashes.reports.reporting import examined
from tests.debugfiles.uploading import upload
from tests.engine.run.gdb_frames import own_files
from tests.engine.run.reports import unpacked
from tests.engine.run.serving import FIXTURES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("environment")]


def grouping(project, crash):
    for name, data in own_files(crash).items():
        upload(project, data, name)
    return grouping_of(examined(project, "minidump", unpacked(FIXTURES / f"crash/{crash}.dmp.xz")).result)


def test_a_crash_of_builds_with_and_without_frame_pointers_is_one_fault(acme_project):
    found = [grouping(acme_project, f"segv-worker-{build}") for build in ("dw4", "nofp")]
    assert found[0].parts == found[1].parts
    assert found[0].fingerprint == found[1].fingerprint
    assert found[0].culprit == "inl_touch (ledger.cpp:15)"


def test_a_failed_check_is_grouped_by_who_failed_it(acme_project):
    """Nobody has the C library's files here, in which the stack begins: what follows is a guess, and counts."""
    values = [part.value for part in grouping(acme_project, "abrt-main-nofp").parts]
    assert values[:5] == ["SIGABRT", "inl_refuse", "inl_choose", "inl_round", "ledger::leaf_post"]
    assert values[-1] == "main"
