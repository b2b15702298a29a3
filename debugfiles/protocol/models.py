"""What the upload protocol keeps between its requests: chunks, and files that are being assembled from them."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from projects.models import TOKEN_PREFIX_LENGTH, ApiToken, Organization

SHA1_LENGTH: Final = 40


class Chunk(models.Model):
    """A part of a file that an organization uploaded. `sha1` is that of its content, inflated."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    sha1 = models.CharField(max_length=SHA1_LENGTH)
    blob = models.ForeignKey("debugfiles.Blob", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    last_used = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "sha1"), name="chunk_in_organization"),)

    def __str__(self) -> str:
        return self.sha1


class Assembly(models.Model):
    """A file that is put together from chunks in the background. The row is the truth, the job a hint.

    `key` stands for what is wanted (see `wanted.Wanted.key`). Whoever works on it holds `lease_token` until
    `lease_until`, by the database's clock; attempts are counted when they begin.
    """

    WAITING: Final = "waiting"
    RUNNING: Final = "running"
    DONE: Final = "done"
    FAILED: Final = "failed"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BinaryField(max_length=16)
    kind = models.CharField(max_length=16)
    checksum = models.CharField(max_length=SHA1_LENGTH)
    chunks = ArrayField(models.CharField(max_length=SHA1_LENGTH))
    project_ids = ArrayField(models.BigIntegerField())
    name = models.TextField(blank=True, default="")
    debug_id = models.CharField(max_length=64, blank=True, default="")
    release = models.TextField(blank=True, default="")
    dist = models.TextField(blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    token_prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH, blank=True, default="")
    state = models.CharField(max_length=16, default=WAITING)
    attempt = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    detail = models.TextField(blank=True, default="")
    results = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    finished_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "key"), name="assembly_in_organization"),)
        indexes = (
            models.Index(
                fields=("created_at",), name="assembly_unfinished", condition=models.Q(finished_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.checksum} {self.state}"
