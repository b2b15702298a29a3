"""A group: crashes that are the same fault."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from projects.models import Project


class Group(models.Model):
    """Crashes with the same fingerprint. `count` is how many there were, those deleted since included.

    `versions` and `platforms` count the crashes by application version and platform; only the commonest are kept.
    A resolved group that another crash comes into is open again: `regressed_at` and `regressed_version` are that one's.
    """

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        IGNORED = "ignored"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="crash_groups", db_index=False)
    fingerprint = models.CharField(max_length=64)
    title = models.CharField(max_length=500, blank=True, default="")
    culprit = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    resolved_at = models.DateTimeField(null=True)
    regressed_at = models.DateTimeField(null=True)
    regressed_version = models.CharField(max_length=250, blank=True, default="")
    count = models.PositiveBigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    versions = models.JSONField(default=dict)
    platforms = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("project", "fingerprint"), name="crash_group_once"),)
        indexes = (
            models.Index(fields=("project", "-last_seen", "-id"), name="crash_group_latest"),
            models.Index(fields=("project", "-count", "-id"), name="crash_group_largest"),
            models.Index(fields=("project", "-first_seen", "-id"), name="crash_group_newest"),
        )

    def __str__(self) -> str:
        return self.title
