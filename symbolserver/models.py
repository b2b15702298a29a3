"""How a project's symbol server answers."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from projects.models import Project


class Serving(models.Model):
    """What a project allows beyond the default; without a row, what the fields' defaults say.

    `public`: its own files go to everybody. `sources`: what it lacks is asked of its symbol sources, for callers with a
    token.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="serving", primary_key=True)
    public = models.BooleanField(default=False)
    sources = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    def __str__(self) -> str:
        return f"{self.project_id} public={self.public} sources={self.sources}"
