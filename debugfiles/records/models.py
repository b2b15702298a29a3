"""The record of an upload."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from projects.models import TOKEN_PREFIX_LENGTH, ApiToken, Project

TAG_LENGTH: Final = 200
NAME_LENGTH: Final = 500
RXID_LENGTH: Final = 36


class UploadRecord(models.Model):
    """One upload that something was taken of. `rxid` is the id that clients of Backtrace get as an answer.

    `values` are the keys and values that came with it; `taken` and `refused` count its files, `outcomes` says of the
    first of them what they are or why they were refused; `problem` is set when the archive could not be read to its
    end.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="upload_records")
    rxid = models.CharField(max_length=RXID_LENGTH, unique=True)
    format = models.CharField(max_length=16)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    size = models.BigIntegerField()
    tag = models.CharField(max_length=TAG_LENGTH, blank=True, default="")
    values = models.JSONField(default=dict)
    taken = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    outcomes = models.JSONField(default=dict)
    problem = models.TextField(blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    token_prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("project", "-id"), name="upload_newest"),
            models.Index(fields=("project", "tag", "-id"), name="upload_by_tag"),
        )

    def __str__(self) -> str:
        return f"{self.format} {self.name}"
