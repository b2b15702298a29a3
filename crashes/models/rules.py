"""A project's own rules for crashes, and the keys that its Sentry clients send with."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from projects.models import Project


class CrashRules(models.Model):
    """NULL is what the settings say, 0 is no limit."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="crash_rules")
    keep_days = models.PositiveIntegerField(null=True)
    most_crashes = models.PositiveBigIntegerField(null=True)
    most_bytes = models.PositiveBigIntegerField(null=True)
    # Reports a minute, by all clients of the project together.
    per_minute = models.PositiveIntegerField(null=True)
    report_bytes = models.PositiveBigIntegerField(null=True)
    # Names of attributes, annotations and variables whose values are masked, besides the known ones.
    secret_names = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    # Paths or names of modules (with * and ?) that are, or are not, the application's own.
    in_app = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    not_in_app = ArrayField(models.CharField(max_length=500), default=list, blank=True)

    def __str__(self) -> str:
        return f"rules of {self.project_id}"


class ProjectKey(models.Model):
    """A key that clients of Sentry send with, as part of a DSN. It is public: it lets in reports and nothing else."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="keys")
    public = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.public
