"""How many crashes lack a file: kept beside the file, and right after everything that changes it."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from crashes.again import record
from crashes.again.lacking import add_up, most_lacked
from crashes.models import Crash, CrashLack, LackChange, LackedFile
from tests.crashes.again.lacking import NOTHING_SEEN, crash_lacking, lack

pytestmark = pytest.mark.django_db


def told(project) -> dict[str, int]:
    return {row.file.name: row.crashes for row in most_lacked(project, 0, 10)}


def counted(project) -> dict[str, int]:
    """By looking at every one of them."""
    files = LackedFile.objects.filter(project=project)
    counts = {file.name: CrashLack.objects.filter(file=file).count() for file in files}
    return {name: count for name, count in counts.items() if count}


@pytest.fixture(params=[False, True], ids=["as-it-comes", "added-up-between"])
def between(request):
    return add_up if request.param else lambda: None


def test_what_is_told_is_what_there_is_after_each_change(acme_project, between):
    first, second = lack(name="a.pdb"), lack(name="b.pdb")
    crashes = [crash_lacking(acme_project, first), crash_lacking(acme_project, first, second)]
    changes = [
        lambda: record(crashes[0], [first, second], NOTHING_SEEN),
        lambda: record(crashes[0], [first, second], NOTHING_SEEN),
        lambda: record(crashes[1], [second], NOTHING_SEEN),
        crashes[1].delete,
        lambda: crash_lacking(acme_project, first),
        lambda: Crash.objects.filter(pk=crashes[0].pk).delete(),
    ]
    wanted = [{"a.pdb": 2, "b.pdb": 2}, {"a.pdb": 2, "b.pdb": 2}, {"a.pdb": 1, "b.pdb": 2}]
    wanted += [{"a.pdb": 1, "b.pdb": 1}, {"a.pdb": 2, "b.pdb": 1}, {"a.pdb": 1}]
    for change, expected in zip(changes, wanted, strict=True):
        between()
        with transaction.atomic():
            change()
        assert told(acme_project) == expected == counted(acme_project)


def test_what_is_added_up_is_gone_and_counted_once(acme_project):
    crash_lacking(acme_project, lack(name="a.pdb"))
    crash_lacking(acme_project, lack(name="b.pdb"))
    LackChange.objects.create(file_id=2**40, change=1)
    for _ in range(2):
        add_up()
        assert not LackChange.objects.exists()
        assert set(LackedFile.objects.values_list("crashes", flat=True)) == {1}
    assert told(acme_project) == {"a.pdb": 1, "b.pdb": 1}


@pytest.mark.django_db(transaction=True)
def test_a_file_that_somebody_holds_is_left_for_the_next_time(acme_project):
    held, free = crash_lacking(acme_project, lack(name="held.pdb")), crash_lacking(acme_project, lack(name="free.pdb"))
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM crashes_lackedfile WHERE name = 'held.pdb' FOR NO KEY UPDATE")
            add_up()
            (left,) = LackChange.objects.all()
            assert left.file_id == CrashLack.objects.get(crash=held).file_id
            assert told(acme_project) == {"held.pdb": 1, "free.pdb": 1}
        other.rollback()
    finally:
        other.close()
    add_up()
    assert LackedFile.objects.get(lacks__crash=free).crashes == 1
    assert not LackChange.objects.exists()
