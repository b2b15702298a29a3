"""A crash: what came in, how far its processing is, and what came of it."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from crashes.models.group import Group
from crashes.models.lacking import Rerun
from projects.models import Project

RXID_LENGTH: Final = 36
TEXT_LENGTH: Final = 500
VERSION_LENGTH: Final = 250
SHA256_LENGTH: Final = 64


class Crash(models.Model):
    """One report as a client sent it.

    `blob_key` is the report's own and never shared. While `state` is PENDING the crash waits since `waiting_since` for
    a worker, not before `due_at`; while RUNNING it belongs to whoever knows `lease_token`, until `lease_until`. A crash
    that is processed again is PENDING, and keeps its earlier result until there is another. `attempts` counts the tries
    that were started since it last became PENDING by anything but a failure; `problem` is why the last one failed.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        # Every attempt failed: only a person or a new version of the service can help.
        SET_ASIDE = "set_aside"
        # A format that nobody can read, kept as it came.
        KEPT = "kept"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="crashes", db_index=False)
    rxid = models.CharField(max_length=RXID_LENGTH, unique=True)
    # The client's own id of its report.
    uuid = models.UUIDField(null=True)
    # json, minidump, plcrash, btt, or event (Sentry's).
    format = models.CharField(max_length=16)
    # backtrace or sentry: whose protocol brought it.
    door = models.CharField(max_length=16)
    received_at = models.DateTimeField(db_default=Now())
    # When the client says that it happened.
    occurred_at = models.DateTimeField(null=True)
    blob_key = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=SHA256_LENGTH)
    # Report and attachments, bytes.
    stored_bytes = models.BigIntegerField()
    # Flat: text, numbers, booleans and null by name; secrets are masked before they come here.
    attributes = models.JSONField(default=dict)
    classifiers = ArrayField(models.TextField(), default=list)
    # What the submission asked of processing (`_mod_…`), and a fingerprint that the client chose (64 hex).
    modifiers = models.JSONField(default=dict)
    client_fingerprint = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")

    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    # 0 for what just came in, higher for what is done again.
    priority = models.SmallIntegerField(default=0)
    waiting_since = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    processed_at = models.DateTimeField(null=True)
    # The run of many crashes that this one waits for or was last part of.
    rerun = models.ForeignKey(Rerun, on_delete=models.SET_NULL, null=True, related_name="crashes", db_index=False)

    # What lists show and filters ask, known once it is processed.
    group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, related_name="crashes", db_index=False)
    fingerprint = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")
    title = models.CharField(max_length=TEXT_LENGTH, blank=True, default="")
    culprit = models.CharField(max_length=TEXT_LENGTH, blank=True, default="")
    platform = models.CharField(max_length=32, blank=True, default="")
    version = models.CharField(max_length=VERSION_LENGTH, blank=True, default="")
    os_name = models.CharField(max_length=64, blank=True, default="")
    arch = models.CharField(max_length=32, blank=True, default="")
    frame_count = models.PositiveIntegerField(default=0)
    # Frames that should have a name and have none.
    unnamed_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("project", "uuid"), condition=Q(uuid__isnull=False), name="crash_uuid_once"
            ),
        )
        indexes = (
            models.Index(fields=("project", "-received_at", "-id"), name="crash_newest"),
            models.Index(fields=("group", "-received_at", "-id"), name="crash_newest_of_group"),
            models.Index(fields=("project", "version", "-received_at", "-id"), name="crash_newest_of_version"),
            # What nobody processed has neither, so that a report costs nothing here when it comes in.
            models.Index(
                fields=("project", "platform", "-received_at", "-id"),
                name="crash_newest_of_platform",
                condition=Q(platform__gt=""),
            ),
            models.Index(
                fields=("project", "os_name", "-received_at", "-id"),
                name="crash_newest_of_system",
                condition=Q(os_name__gt=""),
            ),
            models.Index(fields=("project", "-received_at", "-id"), name="crash_kept", condition=Q(state="kept")),
            models.Index(
                fields=("project", "priority", "due_at", "id"), name="crash_pending", condition=Q(state="pending")
            ),
            models.Index(fields=("project", "lease_until"), name="crash_running", condition=Q(state="running")),
            models.Index(fields=("project", "id"), name="crash_set_aside", condition=Q(state="set_aside")),
            models.Index(fields=("rerun", "state"), name="crash_of_rerun", condition=Q(rerun__isnull=False)),
            models.Index(fields=("project", "group"), name="crash_unnamed", condition=Q(unnamed_count__gt=0)),
            GinIndex(fields=("attributes",), name="crash_attributes", opclasses=("jsonb_path_ops",)),
            HashIndex(fields=("blob_key",), name="crash_by_blob"),
        )

    def __str__(self) -> str:
        return self.rxid

    @property
    def object_id(self) -> str:
        """The short id by which clients of Backtrace ask for it."""
        return format(self.pk, "x")


class CrashResult(models.Model):
    """What processing made of a crash: `crashes.results.Result`, compressed. Beside the crash for the sake of lists."""

    crash = models.OneToOneField(Crash, on_delete=models.CASCADE, primary_key=True, related_name="result")
    body = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"result of {self.crash_id}"


class Attachment(models.Model):
    """A file that came with a crash, or for it later. Two may have the same name."""

    crash = models.ForeignKey(Crash, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=TEXT_LENGTH)
    filename = models.CharField(max_length=TEXT_LENGTH, blank=True, default="")
    content_type = models.CharField(max_length=200, blank=True, default="")
    blob_key = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=SHA256_LENGTH)
    inline = models.BooleanField(default=False)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        indexes = (HashIndex(fields=("blob_key",), name="attachment_by_blob"),)

    def __str__(self) -> str:
        return self.name
