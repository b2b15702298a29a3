"""A project's, or an organization's, own symbol sources."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.db import models
from django.db.models.functions import Now

from core.encryption import KEY_ID_LENGTH
from projects.models import Organization, Project

SOURCE_ID_LENGTH: Final = 255
FAILURE_LENGTH: Final = 500
UNIQUE_IN_PROJECT: Final = "source_id_in_project"
UNIQUE_IN_ORGANIZATION: Final = "source_id_in_organization"


class SymbolSource(models.Model):
    """One source. Without a project it belongs to the organization, and every project of it inherits it.

    `config` holds the fields as they were sent, except `id`, `name` and `type`; each secret in it is only the marker
    `{"hidden-secret": true}`. The secrets themselves are in `secrets`, sealed for this row (see sources/secrets.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="symbol_sources")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="symbol_sources", null=True)
    source_id = models.CharField(max_length=SOURCE_ID_LENGTH)
    type = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True)
    position = models.PositiveIntegerField()
    # One that is switched off keeps its place and its secrets, and no lookup asks it.
    enabled = models.BooleanField(default=True, db_default=True)
    config = models.JSONField(default=dict)
    secrets = models.BinaryField(null=True)
    secrets_key = models.CharField(max_length=KEY_ID_LENGTH, blank=True, default="", db_index=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("project", "source_id"), name=UNIQUE_IN_PROJECT),
            models.UniqueConstraint(
                fields=("organization", "source_id"), condition=models.Q(project=None), name=UNIQUE_IN_ORGANIZATION
            ),
            models.UniqueConstraint(
                fields=("project", "position"), name="source_position_in_project", deferrable=models.Deferrable.DEFERRED
            ),
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The configuration; empty where what is stored is not even an object."""
        return self.config if isinstance(self.config, dict) else {}

    def __str__(self) -> str:
        return f"{self.type} {self.source_id}"


class SourceDay(models.Model):
    """What came of asking one source for a project's files on one day (UTC); see `sources.statistics`.

    The source is named by the id that lookups know: the project's own, an inherited one, or a built-in one.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    source_id = models.CharField(max_length=SOURCE_ID_LENGTH)
    day = models.DateField()
    hits = models.PositiveIntegerField(default=0)
    misses = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=FAILURE_LENGTH, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("project", "source_id", "day"), name="source_day"),)

    def __str__(self) -> str:
        return f"{self.source_id} on {self.day}"
