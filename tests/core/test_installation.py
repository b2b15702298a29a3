"""What the hosts of an installation must share, seen from one that has it and from one that has not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from core import installation
from core.database import shared_now
from core.models import Installation
from symbolsvc import health, migrating

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes this process a host with a blob store of its own."""

    def become(name: str) -> None:
        monkeypatch.setattr(health, "_shared", False)
        settings.ENVIRONMENT = settings.ENVIRONMENT | {"BLOB_STORE": str(tmp_path / name)}

    become("shared")
    return become


def test_the_first_host_says_what_is_right_and_others_that_have_it_agree(host) -> None:
    assert installation.problems() == []
    row = Installation.objects.get()
    assert installation.problems() == []
    assert Installation.objects.get() == row
    assert len(row.store_mark) >= 32


def test_a_store_of_the_hosts_own_is_no_store_of_the_installation(host, client) -> None:
    installation.demand_shared()
    host("own")
    assert installation.problems() == [installation.OTHER_STORE]
    with pytest.raises(installation.NotShared, match="BLOB_STORE"):
        installation.demand_shared()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == {"shared": installation.OTHER_STORE}
    assert [one.id for one in run_checks(databases=["default"])] == ["symbolsvc.E001"]


def test_a_store_is_adopted_where_the_files_were_lost(host, capsys: pytest.CaptureFixture[str]) -> None:
    installation.demand_shared()
    host("empty")
    with pytest.raises(CommandError, match="BLOB_STORE"):
        call_command("blob_store")
    call_command("blob_store", "--adopt", "--json")
    assert json.loads(capsys.readouterr().out)["store"].endswith("empty")
    assert installation.problems() == []


def test_a_database_that_is_new_takes_a_store_that_was_marked_before(host) -> None:
    installation.demand_shared()
    mark = Installation.objects.get().store_mark
    Installation.objects.all().delete()
    assert installation.problems() == []
    assert Installation.objects.get().store_mark == mark


def test_keys_of_the_hosts_own_are_no_keys_of_the_installation(host, settings) -> None:
    installation.demand_shared()
    old = settings.SECRET_KEYS
    new = Fernet.generate_key().decode()
    settings.SECRET_KEYS = (new,)
    assert installation.problems() == [installation.OTHER_KEYS]
    # As a key is changed: the new one in front, everything under it, then the old one away.
    settings.SECRET_KEYS = (new, *old)
    assert installation.problems() == []
    call_command("rotate_secrets")
    settings.SECRET_KEYS = (new,)
    assert installation.problems() == []


def test_a_store_that_does_not_answer_is_no_problem_of_this_kind(host, tmp_path: Path) -> None:
    installation.demand_shared()
    (tmp_path / "file").write_text("")
    host("file/below")
    assert installation.problems() == []


def test_missing_migrations_are_told_by_their_names() -> None:
    assert migrating.are_recorded()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'core'")
    assert not migrating.are_recorded()


def test_moments_that_hosts_share_are_the_databases() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
        found = shared_now()
        cursor.execute("SELECT clock_timestamp()")
        (after,) = cursor.fetchone()
    assert before <= found <= after
