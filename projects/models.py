"""Who: organizations, projects, members, API tokens, and the trail of what they changed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from projects.scopes import ADMIN, MEMBER, OWNER

SLUG_LENGTH = 50
NAME_LENGTH = 200
TOKEN_LENGTH = 64
TOKEN_PREFIX_LENGTH = 8


class Organization(models.Model):
    slug = models.CharField(max_length=SLUG_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    # Counts the changes of the organization's own symbol sources, so that a process knows when its copy is stale.
    sources_revision = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.slug


class Project(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="projects")
    slug = models.CharField(max_length=SLUG_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    platform = models.CharField(max_length=64, blank=True, default="")
    # Keys of the built-in symbol sources that lookups of this project use; the catalogue decides their order.
    builtin_sources = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    # Counts the changes of the project's symbol sources, its choice of built-in ones included.
    sources_revision = models.BigIntegerField(default=0)
    # Counts the changes of the project's debug files, so that nobody believes an answer from before a change.
    files_revision = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("organization", "slug"), name="project_slug_in_organization"),)

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    ROLES = ((OWNER, "Owner"), (ADMIN, "Admin"), (MEMBER, "Member"))

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=ROLES)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "user"), name="one_role_in_organization"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.organization_id}"


class ApiToken(models.Model):
    """A bearer token. Only its digest is stored: the text is shown once, when it is created."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tokens", null=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=32))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.prefix}…"


class AuditEntry(models.Model):
    """One write: who did what, with which token, when. Append only; secrets are masked before they come here."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="audit_entries")
    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True)
    token_prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH, blank=True, default="")
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=300)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("organization", "-id"), name="audit_newest_first"),)

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class SignInTurns(models.Model):
    """How often an address, or a client, tried to sign in lately: the moment at which all its turns are earned back.

    The key is a digest: what was typed into the form may be anything.
    """

    key = models.CharField(max_length=64, primary_key=True)
    earned_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
