"""How long uploads stay, what they may take, and what goes when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from core.api import ApiError
from core.blobs import blob_store
from debugfiles import tasks
from debugfiles.contents import delete_unused
from debugfiles.models import ArtifactBundle, Blob, DebugFile, ReleaseFile, Retention
from debugfiles.providers import project_files
from debugfiles.retention import expiring
from debugfiles.retention.expiring import delete_expired
from debugfiles.retention.holdings import used_bytes
from debugfiles.retention.policy import UNLIMITED, WhenFull, set_rules
from engine.modules import DebugId, ModuleType, Wanted
from engine.sourcetypes.base import FileType
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import APP, PROGUARD, access_to, bundle_of, upload, upload_bundle, upload_file

pytestmark = pytest.mark.django_db

RETENTION = "/api/0/projects/acme/native-app/debug-files/retention/"


def rules(project, keep_days=None, quota_bytes=None, when_full=None):
    set_rules(project=project, actor=SYSTEM, keep_days=keep_days, quota_bytes=quota_bytes, when_full=when_full)


def in_days(days):
    return timezone.now() + timedelta(days=days)


def of_each_kind(project):
    upload(project, PROGUARD, "mapping.txt")
    upload_bundle(project, bundle_of(APP), "1.0")
    upload_file(project, "1.0", "~/app.js")


def counts():
    return [model.objects.count() for model in (DebugFile, ArtifactBundle, ReleaseFile)]


def mapping(project, number, size=1000):
    """A file of that size of its own."""
    content = PROGUARD + b"# %d " % number
    return upload(project, content.ljust(size, b"x"), f"{number}.txt")[0]


def used_ago(row, days):
    DebugFile.objects.filter(pk=row.pk).update(last_used=timezone.now() - timedelta(days=days))


def test_everything_stays_for_a_year_and_then_goes_with_an_entry_in_the_trail(acme_project):
    of_each_kind(acme_project)
    revision = access_to(acme_project).project.files_revision

    assert delete_expired(in_days(364)) == 0
    assert counts() == [1, 1, 1]
    assert delete_expired(in_days(366)) == 3

    assert counts() == [0, 0, 0]
    assert access_to(acme_project).project.files_revision == revision + 1
    entries = AuditEntry.objects.filter(action__endswith=".expired").order_by("action")
    assert [(entry.action, entry.target, entry.data["count"]) for entry in entries] == [
        ("artifact_bundle.expired", "bundle.zip", 1),
        ("debug_file.expired", "mapping.txt", 1),
        ("release_file.expired", "~/app.js", 1),
    ]


def test_the_contents_follow_a_day_after(acme_project):
    of_each_kind(acme_project)
    Blob.objects.update(last_used=timezone.now() - timedelta(days=400))
    DebugFile.objects.update(last_used=timezone.now() - timedelta(days=400))

    tasks.sweep_expired.func(0)

    assert counts() == [0, 1, 1]
    assert delete_unused() == 0
    Blob.objects.update(last_used=timezone.now() - timedelta(days=2))
    assert delete_unused() == 1
    assert Blob.objects.count() == 2


def test_what_a_lookup_used_stays(acme_project):
    row = mapping(acme_project, 1)
    used_ago(row, 300)
    wanted = Wanted(ModuleType.ELF, code_id=None, debug_id=DebugId(row.debug_uuid))

    project_files(access_to(acme_project)).locate(wanted, tuple(FileType))

    assert delete_expired(in_days(100)) == 0


def test_a_project_keeps_for_as_long_as_it_says(acme, acme_project):
    longer, for_ever = make_project(acme, "longer"), make_project(acme, "for-ever")
    for project in (acme_project, longer, for_ever):
        mapping(project, project.pk)
    rules(acme_project, keep_days=10)
    rules(longer, keep_days=1000)
    rules(for_ever, keep_days=UNLIMITED)

    def left():
        return set(DebugFile.objects.values_list("project__slug", flat=True))

    delete_expired(in_days(11))
    assert left() == {"longer", "for-ever"}
    delete_expired(in_days(999))
    assert left() == {"longer", "for-ever"}
    delete_expired(in_days(1001))
    assert left() == {"for-ever"}


def test_a_bundle_is_taken_from_the_project_that_keeps_shorter_and_goes_with_the_last_one(acme, acme_project):
    other = make_project(acme, "other")
    bundle = upload_bundle(acme_project, bundle_of(APP), "1.0", projects=[other])
    rules(acme_project, keep_days=10)

    assert delete_expired(in_days(11)) == 1
    assert [project.slug for project in bundle.projects.all()] == ["other"]
    assert delete_expired(in_days(366)) == 1
    assert not ArtifactBundle.objects.exists()


def test_many_go_in_windows(acme_project, monkeypatch):
    monkeypatch.setattr(expiring, "WINDOW", 2)
    for number in range(5):
        mapping(acme_project, number)

    assert delete_expired(in_days(366)) == 5
    assert AuditEntry.objects.filter(action="debug_file.expired").count() == 3


def test_what_is_held_by_somebody_is_left_for_the_next_time(acme_project, monkeypatch):
    mapping(acme_project, 1)
    locked = type(expiring.KINDS[0]).locked
    monkeypatch.setattr(type(expiring.KINDS[0]), "locked", lambda *_: [])
    assert delete_expired(in_days(366)) == 0

    monkeypatch.setattr(type(expiring.KINDS[0]), "locked", locked)
    assert delete_expired(in_days(366)) == 1


def test_each_content_counts_once_and_in_every_project_that_has_it(acme, acme_project):
    row = mapping(acme_project, 1)
    mapping(acme_project, 1)
    upload_file(acme_project, "1.0", "~/copy.txt", b"".join(blob_store().pieces(row.blob.key)))
    assert used_bytes(acme_project) == 1000

    other = make_project(acme, "other")
    mapping(other, 1)
    assert used_bytes(other) == 1000


def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(acme_project):
    rules(acme_project, quota_bytes=2500)
    kept = [mapping(acme_project, number).pk for number in range(2)]

    for store in (
        lambda: mapping(acme_project, 3),
        lambda: upload_bundle(acme_project, bundle_of(APP | {"big": ("source", "~/b", {}, bytes(range(256)) * 8)})),
        lambda: upload_file(acme_project, "1.0", "~/a.js", b"x" * 501),
    ):
        with pytest.raises(ApiError, match="quota is 2500") as refusal:
            store()
        assert (refusal.value.status, refusal.value.code) == (413, "quota")

    assert sorted(DebugFile.objects.values_list("pk", flat=True)) == kept
    assert Blob.objects.count() == 2
    # What is there is no more than it was.
    assert mapping(acme_project, 1).pk in kept
    upload_file(acme_project, "1.0", "~/a.js", b"x" * 500)


def test_where_the_project_says_so_what_was_used_longest_ago_goes_instead(acme_project):
    rules(acme_project, quota_bytes=2500, when_full=WhenFull.EVICT)
    old, recent = mapping(acme_project, 1), mapping(acme_project, 2)
    used_ago(recent, 5)
    used_ago(old, 20)

    new = mapping(acme_project, 3)

    assert set(DebugFile.objects.values_list("pk", flat=True)) == {recent.pk, new.pk}
    entry = AuditEntry.objects.get(action="debug_file.evicted")
    assert (entry.target, entry.data["count"]) == ("1.txt", 1)


def test_no_more_goes_than_has_to_and_nothing_for_what_could_never_fit(acme_project):
    rules(acme_project, quota_bytes=3000, when_full=WhenFull.EVICT)
    rows = [mapping(acme_project, number) for number in range(3)]
    for age, row in enumerate(rows):
        used_ago(row, 10 - age)

    with pytest.raises(ApiError, match="quota"):
        mapping(acme_project, 9, size=3001)
    assert DebugFile.objects.count() == 3

    mapping(acme_project, 10, size=1500)
    assert set(DebugFile.objects.values_list("pk", flat=True)) >= {rows[2].pk}
    assert DebugFile.objects.count() == 2


def test_the_quota_of_the_settings_holds_for_projects_without_their_own(acme_project, monkeypatch):
    monkeypatch.setitem(settings.ENVIRONMENT, "UPLOADS_QUOTA_BYTES", 1500)
    mapping(acme_project, 1)
    with pytest.raises(ApiError, match="quota is 1500"):
        mapping(acme_project, 2)

    rules(acme_project, quota_bytes=UNLIMITED)
    mapping(acme_project, 2)


def test_rules_are_shown_set_and_left_to_the_settings_again(acme, acme_project):
    api = Api(make_token(acme))
    defaults = {"keepDays": 365, "quotaBytes": None, "whenFull": "refuse"}
    shown = api.get(RETENTION).json()
    assert shown == {**defaults, "defaults": defaults, "usedBytes": 0, "nextExpiry": None}

    mapping(acme_project, 1)
    set_to = {"keepDays": 90, "quotaBytes": 5000, "whenFull": "evict"}
    answer = api.put(RETENTION, set_to).json()
    assert {name: answer[name] for name in set_to} == set_to
    assert (answer["usedBytes"], answer["defaults"]) == (1000, defaults)
    assert answer == api.get(RETENTION).json()
    (file,) = api.get("/api/0/projects/acme/native-app/debug-files/").json()
    assert file["expiresAt"] == answer["nextExpiry"]

    kept = api.put(RETENTION, {"keepDays": None}).json()
    assert {name: kept[name] for name in set_to} == {**defaults, "keepDays": None}
    assert kept["nextExpiry"] is None
    (file,) = api.get("/api/0/projects/acme/native-app/debug-files/").json()
    assert file["expiresAt"] is None
    api.put(RETENTION, {})
    row = Retention.objects.get()
    assert (row.keep_days, row.quota_bytes, row.when_full) == (None, None, "")
    assert AuditEntry.objects.filter(action="retention.changed").count() == 3


@pytest.mark.parametrize(
    "body",
    [{"keepDays": 0}, {"keepDays": "9"}, {"quotaBytes": -1}, {"whenFull": "burn"}, {"keepdays": 1}, {"keepDays": 1e9}],
    ids=str,
)
def test_rules_that_make_no_sense_are_refused(acme, acme_project, body):
    answer = Api(make_token(acme)).put(RETENTION, body)
    assert (answer.status_code, Retention.objects.exists()) == (400, False)


def test_what_expires_is_shown_wherever_uploads_are_listed(acme, acme_project):
    of_each_kind(acme_project)
    api = Api(make_token(acme))
    for path in ("debug-files/", "files/dsyms/", "artifact-bundles/", "releases/1.0/files/"):
        (shown,) = api.get(f"/api/0/projects/acme/native-app/{path}").json()
        assert shown["expiresAt"] > (timezone.now() + timedelta(days=364)).isoformat(), path
