"""What both providers do alike: keys of caches, and bringing a content to the engine."""

from __future__ import annotations

import logging
from typing import BinaryIO

from django.utils.crypto import salted_hmac

from core.blobs import BlobError, BlobMissing, blob_store
from debugfiles.models import Blob
from engine.errors import FailureKind
from engine.outgoing import Deadline, PassingFailure
from engine.owners import owner_tag
from projects.models import Project
from sources.composition import owner_of

log = logging.getLogger(__name__)


def cache_key(project: Project, *parts: str) -> str:
    """A digest over the project and `parts`, beginning with its organization's tag."""
    salt = "debugfiles.cache_keys"
    text = "\n".join((str(project.pk), *parts))
    return owner_tag(owner_of(project.organization_id)) + salted_hmac(salt, text, algorithm="sha256").hexdigest()


def absent() -> PassingFailure:
    """The file was deleted since it was listed."""
    return PassingFailure(FailureKind.NOT_FOUND, "the file was deleted meanwhile")


def copy_content(blob: Blob, target: BinaryIO, deadline: Deadline, start: int = 0, size: int | None = None) -> None:
    """Write `size` bytes of a content (all without) to `target`.

    Raises PassingFailure, since no failure of ours says anything about the file, and DeadlineExceeded.
    """
    expected = blob.size if size is None else size
    written = 0
    try:
        for piece in blob_store().pieces(blob.key, start, expected, deadline):
            written += target.write(piece)
    except BlobMissing:
        log.error("the content of an uploaded file is not in the store", extra={"sha256": blob.sha256})
        raise PassingFailure(FailureKind.UNREACHABLE, "the uploaded file is not in the store any more") from None
    except BlobError as error:
        raise PassingFailure(FailureKind.UNREACHABLE, error.message) from error
    if written != expected:
        log.error("an uploaded file is shorter than it was", extra={"sha256": blob.sha256})
        raise PassingFailure(FailureKind.UNREACHABLE, "the uploaded file is not whole any more")
