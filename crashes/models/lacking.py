"""What crashes lack, and runs over many crashes."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from projects.models import Project

KEY_LENGTH: Final = 64


class Rerun(models.Model):
    """Crashes of a project that are processed or grouped again, in windows; `reason` says why.

    `cursor` is the last crash that was looked at, so that an interrupted run goes on from there; `queued` counts what
    it put into the queue, and how far that is tell the crashes that name the run.
    """

    class Kind(models.TextChoices):
        PROCESS = "process"
        REGROUP = "regroup"

    class State(models.TextChoices):
        RUNNING = "running"
        QUEUED = "queued"
        DONE = "done"
        CANCELLED = "cancelled"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reruns")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PROCESS)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    reason = models.CharField(max_length=500, blank=True, default="")
    # Which crashes are meant: a filter as `query` has it, or the ids of lacked files.
    chosen = models.JSONField(default=dict)
    total = models.PositiveBigIntegerField(default=0)
    queued = models.PositiveBigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LackedFile(models.Model):
    """A file that crashes of a project asked for in vain, by what it would be found by.

    `key` tells them apart: a digest of kind and ids. `next_probe_at` is when the project's sources are asked again;
    null where only an upload can bring it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="lacked_files", db_index=False)
    # debug_file, unwind_file, source_map or mapping.
    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=KEY_LENGTH)
    name = models.CharField(max_length=500, blank=True, default="")
    debug_id = models.CharField(max_length=64, blank=True, default="")
    debug_uuid = models.UUIDField(null=True)
    code_id = models.CharField(max_length=128, blank=True, default="")
    release = models.CharField(max_length=250, blank=True, default="")
    dist = models.CharField(max_length=64, blank=True, default="")
    # What a lookup of the file needs besides: a module as in a request.
    module = models.JSONField(default=dict)
    # Why it was not found and what to do about it, in words, as of the last time it was asked for.
    cause = models.TextField(blank=True, default="")
    remedy = models.TextField(blank=True, default="")
    # How many crashes lack it, but for what stands in `LackChange`.
    crashes = models.BigIntegerField(default=0, db_default=0)
    first_missed_at = models.DateTimeField(db_default=Now())
    probes = models.PositiveIntegerField(default=0)
    next_probe_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("project", "key"), name="lacked_file_once"),)
        indexes = (
            models.Index(fields=("project", "debug_uuid"), name="lacked_file_by_debug_id"),
            models.Index(fields=("project", "code_id"), name="lacked_file_by_code_id"),
            models.Index(fields=("project", "release", "dist"), name="lacked_file_by_release"),
            models.Index(fields=("next_probe_at",), name="lacked_file_due"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class CrashLack(models.Model):
    """A crash lacks a file, as of its last result, which was made with the files of this revision of the project."""

    crash = models.ForeignKey("crashes.Crash", on_delete=models.CASCADE, related_name="lacks", db_index=False)
    file = models.ForeignKey(LackedFile, on_delete=models.CASCADE, related_name="lacks", db_index=False)
    files_revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("crash", "file"), name="crash_lacks_once"),)
        indexes = (models.Index(fields=("file", "crash"), name="crashes_that_lack"),)

    def __str__(self) -> str:
        return f"{self.crash_id} lacks {self.file_id}"


class LackChange(models.Model):
    """So many crashes more, or less, lack a file. Triggers of the table of `CrashLack` write it; a job adds it up.

    All crashes of a library's users lack the same file: were its row to count them, they would wait for each other.
    """

    file_id = models.BigIntegerField()
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.file_id} {self.change:+}"


class SourcesSeen(models.Model):
    """The revisions of a project's sources when its lacked files were last made due because of them."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="sources_seen")
    project_revision = models.BigIntegerField()
    organization_revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"sources of {self.project_id}"
