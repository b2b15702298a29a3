"""Symbolications whose id a client knows, because it was told that they are pending."""

from __future__ import annotations

import uuid

from django.db import models

from projects.models import Organization


class PendingRequest(models.Model):
    """One row per pending answer, so that any web process can answer for it.

    The table is unlogged: what it holds is of use for minutes, and a crash of the database loses it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # Whose it is; null for a request without a token.
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    # Host and process id, for the operator.
    owner = models.CharField(max_length=300)
    # Until when the owner has said that it is alive.
    lease_until = models.DateTimeField()
    # The hard limit of the computation.
    deadline = models.DateTimeField()
    # The answer as it is sent, once there is one.
    result = models.BinaryField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return str(self.id)
