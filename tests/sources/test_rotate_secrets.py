"""`manage.py rotate_secrets`: after an interruption it goes on, and beside writers it loses nothing."""

from __future__ import annotations

import io
import threading

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connections

from core import encryption
from sources.management.commands import rotate_secrets as command
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from tests.sources.helpers import GCS, HTTP, KEY, refused, without

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
COUNT = 7


@pytest.fixture
def old_secrets(settings, sources):
    """Seven sources under the old key, one without any secret, and the new key at the head of the list."""
    settings.SECRET_KEYS = (OLD,)
    sources.add(*({**HTTP, "id": f"n{n}", "password": f"secret {n}"} for n in range(COUNT)))
    sources.add(without(HTTP, "password"))
    settings.SECRET_KEYS = (NEW, OLD)


def rotate(batch: int = 2) -> str:
    out = io.StringIO()
    call_command("rotate_secrets", batch=batch, stdout=out, stderr=out)
    return out.getvalue()


def under(key: str) -> int:
    return SymbolSource.objects.filter(secrets_key=encryption.key_id_of(key)).count()


def revealed() -> dict[str, dict[str, str]]:
    return {row.source_id: reveal_secrets(row) for row in SymbolSource.objects.all()}


EXPECTED = {f"n{n}": {"password": f"secret {n}"} for n in range(COUNT)} | {"honk": {}}


@pytest.mark.django_db
def test_every_secret_moves_to_the_newest_key(old_secrets, settings):
    assert rotate().endswith(f"{COUNT} re-encrypted, 0 already under the newest key\n")
    settings.SECRET_KEYS = (NEW,)
    assert revealed() == EXPECTED


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do(old_secrets):
    rotate()
    assert rotate() == f"0 re-encrypted, {COUNT} already under the newest key\n"


@pytest.mark.django_db
def test_nothing_else_of_a_source_changes(old_secrets, sources):
    before = SymbolSource.objects.order_by("pk").values_list("pk", "config", "revision", "position", "updated_at")
    kept = list(before)
    rotate()
    assert list(before.all()) == kept


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_run_keeps_what_is_done_and_the_next_one_goes_on(old_secrets, monkeypatch, settings):
    calls = iter(range(COUNT))

    def interrupted(row):
        if next(calls) == 5:
            raise KeyboardInterrupt
        original(row)

    original = command.rotate_secrets
    monkeypatch.setattr(command, "rotate_secrets", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rotate(batch=2)
    # Two batches were whole; the third is rolled back.
    assert (under(NEW), under(OLD)) == (4, 3)
    assert revealed() == EXPECTED
    monkeypatch.setattr(command, "rotate_secrets", original)
    assert rotate().endswith("3 re-encrypted, 4 already under the newest key\n")
    settings.SECRET_KEYS = (NEW,)
    assert revealed() == EXPECTED


@pytest.mark.django_db
def test_a_secret_whose_key_is_gone_is_told_and_does_not_stop_the_others(old_secrets, settings):
    lost = Fernet.generate_key().decode()
    settings.SECRET_KEYS = (lost,)
    row = SymbolSource.objects.get(source_id="n3")
    sealed = encryption.seal({"password": "x"}, bound_to="x")
    SymbolSource.objects.filter(pk=row.pk).update(secrets=sealed.ciphertext, secrets_key=sealed.key_id)
    settings.SECRET_KEYS = (NEW, OLD)
    out = io.StringIO()
    with pytest.raises(CommandError, match="6 re-encrypted.*1 failed: keep the older keys"):
        call_command("rotate_secrets", stdout=out, stderr=out)
    assert "source 'n3'" in out.getvalue()
    assert encryption.key_id_of(lost) in out.getvalue()
    assert under(NEW) == COUNT - 1


@pytest.mark.django_db
def test_without_usable_keys_nothing_is_touched(old_secrets, settings):
    settings.SECRET_KEYS = ("nonsense",)
    with pytest.raises(CommandError, match="SECRET_KEYS: number 1 is not a Fernet key"):
        rotate()
    assert under(OLD) == COUNT


@pytest.mark.django_db(transaction=True)
def test_writers_and_rotation_beside_each_other_lose_nothing(old_secrets, sources, settings):
    def write() -> None:
        try:
            for n in range(COUNT):
                body = {**HTTP, "id": f"n{n}", "name": "changed", "password": {"hidden-secret": True}}
                assert sources.put(f"n{n}", body).status_code == 200
        finally:
            connections.close_all()

    def turn() -> None:
        try:
            rotate(batch=1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=target) for target in (write, turn, turn)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert under(OLD) == 0
    settings.SECRET_KEYS = (NEW,)
    assert revealed() == EXPECTED
    assert {row.name for row in SymbolSource.objects.exclude(source_id="honk")} == {"changed"}


@pytest.mark.django_db
def test_a_lost_key_does_not_stop_a_new_secret(old_secrets, sources, settings):
    settings.SECRET_KEYS = (NEW,)
    sources.add({**GCS, "private_key": KEY})
    assert sources.put("n1", {**HTTP, "id": "n1", "password": "fresh"}).status_code == 200
    assert reveal_secrets(SymbolSource.objects.get(source_id="n1")) == {"password": "fresh"}
    refused(sources.put("n1", {**HTTP, "password": "x", "id": "n2"}), "Duplicate source id: n2")
