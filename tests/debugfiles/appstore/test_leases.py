"""Who may import, for how long, and what happens when the source changes or the process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from core import background
from debugfiles.appstore import importing as runs
from debugfiles.appstore import services
from debugfiles.appstore.keeping import KeptLease
from debugfiles.appstore.models import AppStoreBuild, AppStoreImport
from debugfiles.appstore.services import LeaseLost
from debugfiles.appstore.tasks import IMPORTS, sweep_imports
from debugfiles.models import DebugFile
from sources.models import SymbolSource
from tests.debugfiles.appstore.apple import PEM, source
from tests.debugfiles.appstore.conftest import P, archive
from tests.engine.webserver import hang
from tests.service import MANAGE, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_jobs():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def jobs():
    return list(ProcrastinateJob.objects.filter(queue_name=IMPORTS, status="todo").values_list("args", flat=True))


def test_a_source_that_is_stored_is_imported_by_the_worker(apple, stored, api):
    apple.add("1.0", archive(1))
    assert jobs() == [{"source": str(stored.pk)}]

    background.run_waiting([IMPORTS])

    (status,) = api.get(f"{P}app-store-connect/").json()
    assert (status["state"], status["builds"]["imported"]) == ("ok", 1)
    assert jobs() == []


def test_what_is_due_is_swept_up_once_and_rows_that_lack_are_made(apple, stored):
    background.run_waiting([IMPORTS])
    sweep_imports(0)
    assert jobs() == []

    AppStoreImport.objects.update(next_run=timezone.now())
    sweep_imports(0)
    sweep_imports(0)
    assert len(jobs()) == 1

    AppStoreImport.objects.all().delete()
    sweep_imports(0)
    assert AppStoreImport.objects.get().pk == stored.pk
    assert len(jobs()) == 1


def test_only_one_imports_at_a_time(stored):
    assert services.take(stored.pk) is not None
    assert services.take(stored.pk) is None
    assert services.due() == []
    AppStoreImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.due() == []
    AppStoreImport.objects.update(next_run=timezone.now())
    assert services.due() == [stored.pk]
    assert services.take(stored.pk) is not None


def test_whoever_lost_the_lease_writes_nothing(apple, stored):
    first = services.take(stored.pk)
    AppStoreImport.objects.update(lease_until=timezone.now(), next_run=timezone.now())
    second = services.take(stored.pk)
    assert (services.renew(first), services.renew(second)) == (False, True)
    for late in (lambda: services.pause(first), lambda: services.set_app(first, "late")):
        with pytest.raises(LeaseLost):
            late()
    services.give_up(first)
    assert AppStoreImport.objects.get().lease == second.token


def test_a_lease_is_renewed_while_the_work_goes_on_and_its_loss_is_noticed(stored):
    lease = services.take(stored.pk)
    AppStoreImport.objects.update(lease_until=timezone.now())
    with KeptLease(lease, every=0.02) as kept:
        eventually(lambda: AppStoreImport.objects.get().lease_until > timezone.now() + timedelta(seconds=60))
        kept.check()
        AppStoreImport.objects.update(lease=None)
        with pytest.raises(LeaseLost):
            eventually(kept.check)


def test_a_change_stops_a_running_import_and_has_another_one_begin(apple, stored, api, monkeypatch):
    apple.add("1.0", archive(1))
    apple.add("2.0", archive(2), day=2)
    keep = runs.store_archive

    def changed_meanwhile(*arguments):
        assert api.put(f"{P}symbol-sources/?id=our-app", source(name="New name")).status_code == 200
        return keep(*arguments)

    monkeypatch.setattr(runs, "store_archive", changed_meanwhile)
    runs.run_import(stored.pk)
    row = AppStoreImport.objects.get()
    assert (row.state, row.lease, row.stop, row.failures) == ("new", None, False, 0)
    assert row.next_run <= timezone.now()
    assert set(AppStoreBuild.objects.values_list("state", flat=True)) == {"pending"}

    monkeypatch.undo()
    assert len(jobs()) == 1
    background.run_waiting([IMPORTS])
    assert set(AppStoreBuild.objects.values_list("state", flat=True)) == {"imported"}


def test_another_app_begins_anew_and_another_name_does_not(apple, stored, api):
    apple.add("1.0", archive(1))
    runs.run_import(stored.pk)
    api.put(f"{P}symbol-sources/?id=our-app", source(name="New name"))
    assert AppStoreBuild.objects.count() == 1
    api.put(f"{P}symbol-sources/?id=our-app", source(appId="999"))
    assert AppStoreBuild.objects.count() == 0
    assert not AppStoreImport.objects.get().walked


def test_a_source_of_another_type_is_not_imported_any_more(stored, api):
    http = {"id": "our-app", "type": "http", "name": "x", "url": "http://x", "layout": {"type": "native"}}
    assert api.put(f"{P}symbol-sources/?id=our-app", http).status_code == 200
    assert not AppStoreImport.objects.exists()
    assert api.get(f"{P}app-store-connect/").json() == []


def test_a_source_that_is_deleted_while_it_is_imported(apple, stored, api, monkeypatch):
    apple.add("1.0", archive(1))
    keep = runs.fetch_archive

    def deleted_meanwhile(*arguments, **options):
        assert api.delete(f"{P}symbol-sources/?id=our-app").status_code == 204
        return keep(*arguments, **options)

    monkeypatch.setattr(runs, "fetch_archive", deleted_meanwhile)
    runs.run_import(stored.pk)
    assert not AppStoreImport.objects.exists()


def test_rotating_secrets_imports_nothing(apple, stored, settings):
    from sources.secrets import rotate_secrets

    runs.run_import(stored.pk)
    before = AppStoreImport.objects.get().next_run
    rotate_secrets(SymbolSource.objects.get())
    assert AppStoreImport.objects.get().next_run == before


def test_an_import_whose_worker_was_killed_goes_on_where_it_was(apple, stored, settings):
    apple.add("1.0", archive(1))
    apple.add("2.0", archive(2), day=2)
    whole = apple.cache.routes["/build-1.0-0.zip"]
    apple.cache.routes["/build-1.0-0.zip"] = hang
    worker = start_worker(apple, settings)
    eventually(lambda: "/build-1.0-0.zip?signature=canary-signature" in apple.fetched, seconds=60)

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    row = AppStoreImport.objects.get()
    assert row.lease is not None
    assert list(AppStoreBuild.objects.order_by("version").values_list("state", "attempts")) == [
        ("pending", 1),
        ("imported", 1),
    ]
    assert list((settings.CACHE_DIR / "appstore").iterdir()) == []
    # Two minutes later.
    apple.cache.routes["/build-1.0-0.zip"] = whole
    AppStoreImport.objects.update(lease_until=timezone.now(), next_run=timezone.now())
    sweep_imports(0)
    background.run_waiting([IMPORTS])
    assert set(AppStoreBuild.objects.values_list("state", flat=True)) == {"imported"}
    assert DebugFile.objects.count() == 2
    assert [path.partition(".zip")[0] for path in apple.fetched] == ["/build-2.0-0", "/build-1.0-0", "/build-1.0-0"]


def start_worker(apple, settings):
    parts = connection.settings_dict
    url = f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST'].replace('/', '%2F')}"
    url += f"&port={parts['PORT']}" if parts["PORT"] else ""
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "CACHE_DIR": str(settings.CACHE_DIR),
        "APP_STORE_CONNECT_URL": apple.url,
        "ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8",
        "SECRET_KEYS": ",".join(settings.SECRET_KEYS),
        "SECRET_KEY": settings.SECRET_KEY,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert PEM not in str(env)
    assert sys.executable == MANAGE[0]
    return subprocess.Popen([*MANAGE, "run_jobs", "--queues", IMPORTS], env=env, stderr=subprocess.DEVNULL)
