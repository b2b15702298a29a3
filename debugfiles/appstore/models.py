"""What is known of imports from App Store Connect: one row for each source, one for each build."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from sources.models import SymbolSource
from sources.types.app_store_connect.wire import ID_LENGTH, TEXT_LENGTH

ERROR_LENGTH: Final = 500
APP_ID_LENGTH: Final = 255


class State(models.TextChoices):
    """How the last import ended. Whether one is under way is told by the lease."""

    NEW = "new"
    OK = "ok"
    # Cut into slices: more is to be done at once.
    GOING_ON = "going_on"
    DELAYED = "delayed"
    REFUSED = "refused"
    NOT_CONFIGURED = "not_configured"


class BuildState(models.TextChoices):
    """How far a build is."""

    # Apple offers no dSYM files for it yet.
    WAITING = "waiting"
    PENDING = "pending"
    IMPORTED = "imported"
    # Apple has never offered any.
    WITHOUT = "without"
    FAILED = "failed"


class AppStoreImport(models.Model):
    """The imports of one source. It is due at `next_run` unless somebody holds the lease.

    Whoever runs it holds `lease` until `lease_until`, and writes nothing without it. `stop` asks the holder to give up,
    since the source was changed. `failures` counts runs since the last good one; a run counts as failed until it ends.
    """

    source = models.OneToOneField(
        SymbolSource, on_delete=models.CASCADE, related_name="app_store_import", primary_key=True
    )
    app_id = models.CharField(max_length=APP_ID_LENGTH, blank=True, default="")
    app_name = models.CharField(max_length=TEXT_LENGTH, blank=True, default="")
    state = models.CharField(max_length=16, choices=State, default=State.NEW)
    problem = models.CharField(max_length=32, blank=True, default="")
    error = models.CharField(max_length=ERROR_LENGTH, blank=True, default="")
    failures = models.PositiveIntegerField(default=0)
    walked = models.BooleanField(default=False)
    next_run = models.DateTimeField(null=True, db_default=Now(), db_index=True)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    stop = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.source_id} {self.state}"


class AppStoreBuild(models.Model):
    """One build of the app. `parts` are the ids of its parts whose dSYM files are stored already.

    `attempts` are counted when they begin, so that one that kills its process is not tried for ever. `skipped` counts
    files in its archives that were of no use.
    """

    app_import = models.ForeignKey(AppStoreImport, on_delete=models.CASCADE, related_name="builds", db_index=False)
    build_id = models.CharField(max_length=ID_LENGTH)
    version = models.CharField(max_length=TEXT_LENGTH, blank=True, default="")
    uploaded_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=BuildState, default=BuildState.WAITING)
    parts = ArrayField(models.CharField(max_length=ID_LENGTH), default=list)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True, default="")
    files = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    imported_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("app_import", "build_id"), name="app_store_build_once"),)
        indexes = (models.Index(fields=("app_import", "state"), name="app_store_build_by_state"),)

    def __str__(self) -> str:
        return f"{self.version} {self.state}"
