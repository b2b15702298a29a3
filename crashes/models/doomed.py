"""Blobs whose crashes are gone."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class DoomedBlob(models.Model):
    """A blob to delete. Written in the transaction that deleted the rows that named it, and gone after the blob."""

    key = models.CharField(max_length=200)
    doomed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.key
