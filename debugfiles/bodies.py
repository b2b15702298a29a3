"""What goes out by the REST API of uploads. Names are those of Sentry's API where it has the same thing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from core.openapi import ArrayOf
from debugfiles.kinds import MIME_TYPES, SymbolType
from debugfiles.models import ArtifactBundle, DebugFile, Release, ReleaseFile
from debugfiles.retention.policy import Policy

_UUID_LENGTH = 36


class DebugFileData(msgspec.Struct):
    """What a file is for the lookup: `type` is dbg, lib, exe, src or the like; null for what is no object."""

    # Clients know these words alone: an empty one spoils the whole answer for them.
    type: str | None
    features: list[str]


class DebugFileView(msgspec.Struct, rename="camel", kw_only=True):
    """One object of an uploaded debug file. `size` is the object's, `sha1` that of the whole file.

    `expiresAt` is when it is deleted unless somebody uses it before; null for never.
    """

    id: str
    uuid: str
    debug_id: str
    code_id: str | None
    cpu_name: str
    object_name: str
    symbol_type: str
    headers: dict[str, str]
    size: int
    sha1: str
    date_created: datetime
    last_used: datetime
    expires_at: datetime | None | msgspec.UnsetType = msgspec.UNSET
    data: DebugFileData


class DebugFiles(ArrayOf):
    item = DebugFileView


class ReleaseProject(msgspec.Struct):
    """A project that a release was built from."""

    id: str
    slug: str
    name: str


class ReleaseView(msgspec.Struct, rename="camel", kw_only=True):
    """A release of the organization."""

    id: str
    version: str
    short_version: str
    date_created: datetime
    date_released: datetime | None
    projects: list[ReleaseProject]


class Releases(ArrayOf):
    item = ReleaseView


class NewRelease(msgspec.Struct):
    """A release to create; other fields that clients send are not kept."""

    version: str


class ReleaseFileView(msgspec.Struct, rename="camel", kw_only=True):
    """A single file of a release. `name` is the URL that it is served under, `~/` standing for any scheme and host.

    `expiresAt` as of debug files.
    """

    id: str
    name: str
    dist: str | None
    headers: dict[str, str]
    size: int
    sha1: str
    date_created: datetime
    expires_at: datetime | None | msgspec.UnsetType = msgspec.UNSET


class ReleaseFiles(ArrayOf):
    item = ReleaseFileView


class ArtifactBundleView(msgspec.Struct, rename="camel", kw_only=True):
    """A bundle of scripts and source maps. `expiresAt` as of debug files."""

    id: str
    bundle_id: str | None
    name: str
    release: str | None
    dist: str | None
    file_count: int
    size: int
    sha1: str
    date_created: datetime
    last_used: datetime
    expires_at: datetime | None | msgspec.UnsetType = msgspec.UNSET


class ArtifactBundles(ArrayOf):
    item = ArtifactBundleView


def debug_file_view(row: DebugFile, policy: Policy | None = None) -> DebugFileView:
    """`row` as it goes out; with `policy`, when it expires."""
    return DebugFileView(
        id=str(row.pk),
        uuid=row.debug_id[:_UUID_LENGTH],
        debug_id=row.debug_id,
        code_id=row.code_id or None,
        cpu_name=row.cpu or "any",
        object_name=row.object_name,
        symbol_type=row.symbol_type,
        headers={"Content-Type": MIME_TYPES[SymbolType(row.symbol_type)]},
        size=row.object_size,
        sha1=row.checksum,
        date_created=row.created_at,
        last_used=row.last_used,
        expires_at=_expiry(row.last_used, policy),
        data=DebugFileData(row.kind or None, list(row.features)),
    )


def release_view(row: Release) -> ReleaseView:
    """`row` as it goes out; its projects should have been fetched with it."""
    return ReleaseView(
        id=str(row.pk),
        version=row.version,
        short_version=row.version,
        date_created=row.created_at,
        date_released=row.released_at,
        projects=[ReleaseProject(str(project.pk), project.slug, project.name) for project in row.projects.all()],
    )


def release_file_view(row: ReleaseFile, policy: Policy | None = None) -> ReleaseFileView:
    """`row` as it goes out; its content should have been fetched with it. With `policy`, when it expires."""
    return ReleaseFileView(
        id=str(row.pk),
        name=row.name,
        dist=row.dist or None,
        headers=dict(row.headers),
        size=row.blob.size,
        sha1=row.blob.sha1,
        date_created=row.created_at,
        expires_at=_expiry(row.last_used, policy),
    )


def artifact_bundle_view(row: ArtifactBundle, policy: Policy | None = None) -> ArtifactBundleView:
    """`row` as it goes out; its content should have been fetched with it. With `policy`, when it expires."""
    return ArtifactBundleView(
        id=str(row.pk),
        bundle_id=row.bundle_id or None,
        name=row.name,
        release=row.release or None,
        dist=row.dist or None,
        file_count=row.file_count,
        size=row.blob.size,
        sha1=row.blob.sha1,
        date_created=row.created_at,
        last_used=row.last_used,
        expires_at=_expiry(row.last_used, policy),
    )


def _expiry(last_used: datetime, policy: Policy | None) -> datetime | None | msgspec.UnsetType:
    return msgspec.UNSET if policy is None else policy.expires_at(last_used)
