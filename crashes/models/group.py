"""A group: crashes that are the same fault."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from projects.models import Project

NAME_LENGTH: Final = 200


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
            models.Index(fields=("project", "-last_seen", "-id"), name="crash_group_open", condition=Q(state="open")),
            models.Index(fields=("project", "-count", "-id"), name="crash_group_largest"),
            models.Index(fields=("project", "-first_seen", "-id"), name="crash_group_newest"),
        )

    def __str__(self) -> str:
        return self.title


class GroupName(models.Model):
    """What a group is found by: a function or a module on the crashed stack of one of its crashes, in lower case.

    Of a function also its last parts; see `crashes.grouping.searched`.
    """

    class Kind(models.TextChoices):
        FUNCTION = "function"
        MODULE = "module"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="names", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "kind", "name"), name="crash_group_name_once"),)
        indexes = (
            # A beginning is looked for, whatever the database's collation is.
            models.Index(
                fields=("project", "kind", "name", "group"),
                opclasses=("int8_ops", "varchar_ops", "varchar_pattern_ops", "int8_ops"),
                name="crash_groups_by_name",
            ),
        )

    def __str__(self) -> str:
        return self.name
