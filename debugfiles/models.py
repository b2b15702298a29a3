"""What is stored of uploads: contents, debug files, releases with their artifacts, and how sources may be scraped.

A content (`Blob`) is shared by everything that refers to it, across organizations too: nobody reads it but through a
row of their own. A debug file is one object; a fat file is one content with several of them.
"""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from core.encryption import KEY_ID_LENGTH
from projects.models import Organization, Project

NAME_LENGTH: Final = 500
VERSION_LENGTH: Final = 250
DIST_LENGTH: Final = 64
URL_LENGTH: Final = 8192
ID_LENGTH: Final = 128
KEY_BYTES: Final = 16


class Blob(models.Model):
    """One content. The row is there before the content and goes with it: no content is without a row.

    `last_used` is renewed, with the row locked, by whoever is about to refer to it; only what has long been unused and
    is referred to by nothing is deleted.
    """

    WRITING: Final = "writing"
    STORED: Final = "stored"

    sha256 = models.CharField(max_length=64, unique=True)
    sha1 = models.CharField(max_length=40, db_index=True)
    size = models.BigIntegerField()
    key = models.CharField(max_length=200)
    state = models.CharField(max_length=16, default=WRITING)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    last_used = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.sha256


class DebugFile(models.Model):
    """One object of an uploaded file: `object_size` bytes from `object_offset` of the content.

    `debug_id` is the canonical text, empty without one; `debug_uuid` and `debug_appendix` are what is searched for.
    `file_types` are what the engine can ask for it as, `symbol_type` is the one word that clients of Sentry know.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="debug_files")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="debug_files")
    object_index = models.PositiveIntegerField(default=0)
    object_offset = models.BigIntegerField(default=0)
    object_size = models.BigIntegerField()
    debug_id = models.CharField(max_length=64, blank=True, default="")
    debug_uuid = models.UUIDField(null=True)
    debug_appendix = models.BigIntegerField(default=0)
    code_id = models.CharField(max_length=ID_LENGTH, blank=True, default="")
    file_types = ArrayField(models.CharField(max_length=16))
    symbol_type = models.CharField(max_length=16)
    kind = models.CharField(max_length=16, blank=True, default="")
    cpu = models.CharField(max_length=32, blank=True, default="")
    features = ArrayField(models.CharField(max_length=16), default=list)
    object_name = models.CharField(max_length=NAME_LENGTH)
    checksum = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    last_used = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("project", "blob", "object_index", "debug_id"), name="debug_file_once"),
        )
        indexes = (
            models.Index(fields=("project", "debug_uuid", "debug_appendix"), name="debug_file_by_debug_id"),
            models.Index(fields=("project", "code_id"), name="debug_file_by_code_id"),
            models.Index(fields=("project", "checksum"), name="debug_file_by_checksum"),
            models.Index(fields=("project", "-id"), name="debug_file_newest"),
            models.Index(fields=("project", "symbol_type", "-id"), name="debug_file_newest_of_type"),
            models.Index(fields=("project", "last_used"), name="debug_file_by_use"),
        )

    def __str__(self) -> str:
        return f"{self.symbol_type} {self.debug_id or self.code_id}"


class Release(models.Model):
    """A version that an organization builds; the projects that it was built from."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=VERSION_LENGTH)
    projects = models.ManyToManyField(Project, related_name="releases")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("organization", "version"), name="release_in_organization"),)

    def __str__(self) -> str:
        return self.version


class Dist(models.Model):
    """One of the builds of a release. Most releases have none."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="dists")
    name = models.CharField(max_length=DIST_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("release", "name"), name="dist_in_release"),)

    def __str__(self) -> str:
        return self.name


class ArtifactBundle(models.Model):
    """An archive of scripts and source maps. Without a release its files are found by their debug ids alone.

    `release` and `dist` are texts, empty for none: what a crash names need not be a release that somebody created.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="artifact_bundles")
    projects = models.ManyToManyField(Project, related_name="artifact_bundles")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="artifact_bundles")
    bundle_id = models.CharField(max_length=64, blank=True, default="")
    release = models.CharField(max_length=VERSION_LENGTH, blank=True, default="")
    dist = models.CharField(max_length=DIST_LENGTH, blank=True, default="")
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    file_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    last_used = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "blob", "release", "dist"), name="artifact_bundle_once"),
        )
        indexes = (models.Index(fields=("organization", "release", "dist", "-id"), name="bundle_by_release"),)

    def __str__(self) -> str:
        return f"{self.bundle_id or self.pk} {self.release}"


class ArtifactEntry(models.Model):
    """One file of a bundle, as its manifest names it. `url_key` and `name_key` are `text_key` of the URL and its end.

    The organization is named once more so that one look into an index finds an id or a name in all of its bundles.
    """

    id = models.BigAutoField(primary_key=True)
    bundle = models.ForeignKey(ArtifactBundle, on_delete=models.CASCADE, related_name="entries", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    debug_uuid = models.UUIDField(null=True)
    kind = models.CharField(max_length=24, blank=True, default="")
    url = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    url_key = models.BinaryField(max_length=KEY_BYTES)
    name_key = models.BinaryField(max_length=KEY_BYTES)

    class Meta:
        indexes = (
            models.Index(fields=("bundle", "url_key"), name="entry_by_url"),
            models.Index(
                fields=("organization", "debug_uuid", "-id"),
                name="entry_by_debug_id",
                condition=models.Q(debug_uuid__isnull=False),
            ),
            models.Index(fields=("organization", "name_key", "-id"), name="entry_by_name"),
        )

    def __str__(self) -> str:
        return self.url


class ReleaseFile(models.Model):
    """A single file of a release, by the URL that it is served under (`~/` stands for any scheme and host)."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="release_files")
    dist = models.CharField(max_length=DIST_LENGTH, blank=True, default="")
    name = models.CharField(max_length=URL_LENGTH)
    url_key = models.BinaryField(max_length=KEY_BYTES)
    name_key = models.BinaryField(max_length=KEY_BYTES)
    headers = models.JSONField(default=dict)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="release_files")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    last_used = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("release", "project", "dist", "url_key"), name="release_file_once"),
        )
        indexes = (models.Index(fields=("project", "name_key"), name="release_file_by_name"),)

    def __str__(self) -> str:
        return self.name


class Retention(models.Model):
    """Where a project keeps uploads longer or shorter than the settings say. NULL: as they say; 0: without a limit."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="retention", primary_key=True)
    keep_days = models.PositiveIntegerField(null=True)
    quota_bytes = models.BigIntegerField(null=True)
    when_full = models.CharField(max_length=8, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.project_id}"


class Scraping(models.Model):
    """From where, and how, a project's scripts and source maps may be fetched from the web.

    `headers` is sealed for this row; `header_names` are shown.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="scraping", primary_key=True)
    enabled = models.BooleanField(default=True)
    allowed_origins = ArrayField(models.CharField(max_length=512), default=list)
    verify_ssl = models.BooleanField(default=True)
    header_names = ArrayField(models.CharField(max_length=128), default=list)
    headers = models.BinaryField(null=True)
    headers_key = models.CharField(max_length=KEY_ID_LENGTH, blank=True, default="", db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    def __str__(self) -> str:
        return f"{self.project_id}"


# Models of a folder of this room: Django looks for them here.
from debugfiles.protocol.models import Assembly, Chunk  # noqa: E402, F401
from debugfiles.records.models import UploadRecord  # noqa: E402, F401
