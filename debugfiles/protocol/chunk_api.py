"""REST: what uploads may be like, and their chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer
from core.blobs import BlobTooLarge, Incoming, blob_store
from core.openapi import BODY_STATUSES, refusals
from core.wire.coding import unpacked
from core.wire.errors import BodyTooLarge
from core.wire.multipart import MultipartLimits, Part, stream_parts
from debugfiles.protocol.bodies import CapabilitiesView
from debugfiles.protocol.chunks import CHUNK_BYTES, keep_chunks
from debugfiles.protocol.places import IN_ORGANIZATION, OrganizationUploadView
from debugfiles.receiving import AROUND_BYTES, max_upload_bytes
from debugfiles.upload_views import BINARY
from projects.models import Organization

PLAIN: Final = "file"
PACKED: Final = "file_gzip"
CHUNKS_PER_REQUEST: Final = 64
REQUEST_BYTES: Final = 32 << 20
_CONCURRENCY: Final = 8
_SHA1: Final = re.compile("[0-9a-f]{40}")
# Older clients take other ways, which end nowhere, for what is not named here.
_ACCEPT: Final = (
    "debug_files",
    "release_files",
    "pdbs",
    "portablepdbs",
    "sources",
    "bcsymbolmaps",
    "il2cpp",
    "artifact_bundles",
    "artifact_bundles_v2",
    "proguard",
)
TAG: Final = ["Uploads in chunks"]


class ChunkUpload(OrganizationUploadView):
    body_limit = REQUEST_BYTES + AROUND_BYTES

    @extend_schema(
        operation_id="get_upload_capabilities",
        summary="What uploads in chunks may be like",
        tags=TAG,
        parameters=[*IN_ORGANIZATION],
        responses={200: CapabilitiesView, **refusals(403, 404, style="sentry")},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """Where chunks go, and how large and how many they may be. `url` is on the host that was asked."""
        self.open(request, organization_id_or_slug)
        return answer(
            CapabilitiesView(
                url=request.build_absolute_uri(request.path),
                chunk_size=CHUNK_BYTES,
                chunks_per_request=CHUNKS_PER_REQUEST,
                max_file_size=max_upload_bytes(),
                max_request_size=REQUEST_BYTES,
                concurrency=_CONCURRENCY,
                hash_algorithm="sha1",
                compression=["gzip"],
                accept=list(_ACCEPT),
            )
        )

    @extend_schema(
        operation_id="upload_chunks",
        summary="Upload chunks",
        tags=TAG,
        parameters=[*IN_ORGANIZATION],
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    PLAIN: {"type": "array", "items": dict(BINARY)},
                    PACKED: {"type": "array", "items": dict(BINARY)},
                },
            }
        },
        responses={
            (200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT, "They are there."),
            **refusals(403, 404, *BODY_STATUSES, style="sentry"),
        },
    )
    def post(self, request: Request, organization_id_or_slug: str) -> Response:
        """Parts named `file`, or `file_gzip` where each is gzipped by itself; the file name is the content's SHA-1.

        A chunk that is there already may be sent again. Those before one that is refused are kept.
        """
        organization = self.open(request, organization_id_or_slug).organization
        limits = MultipartLimits(body=self.body_limit, parts=CHUNKS_PER_REQUEST + 1)
        try:
            with _kept(organization) as chunks:
                for part in stream_parts(request, limits=limits):
                    if part.head.name in {PLAIN, PACKED}:
                        chunks.take(part)
        except BodyTooLarge:
            raise ApiError("Request too large") from None
        return Response({}, status=200)


class _Chunks:
    """The chunks of one request, as they come in."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._left = REQUEST_BYTES
        self.found: list[Incoming] = []

    def take(self, part: Part) -> None:
        """Take the chunk in a part. Raises ApiError (400), BodyError and BlobError."""
        if len(self.found) == CHUNKS_PER_REQUEST:
            raise ApiError("Too many chunks")
        sha1 = part.head.filename or ""
        if _SHA1.fullmatch(sha1) is None:
            raise ApiError(f"{part.head.name}: the file name must be the SHA-1 of the chunk, in lower-case hex")
        incoming = self._stack.enter_context(blob_store().incoming(CHUNK_BYTES))
        _inflate(part, incoming)
        if incoming.size > self._left:
            raise ApiError("Request too large")
        if incoming.finish().sha1 != sha1:
            raise ApiError(f"{part.head.name}: the content does not match the checksum in its file name")
        self._left -= incoming.size
        self.found.append(incoming)


@contextmanager
def _kept(organization: Organization) -> Iterator[_Chunks]:
    """What the block takes is kept at its end, however that comes: what is refused undoes nothing before it."""
    with ExitStack() as stack:
        chunks = _Chunks(stack)
        try:
            yield chunks
        finally:
            keep_chunks(organization, chunks.found)


def _inflate(part: Part, incoming: Incoming) -> None:
    try:
        for piece in unpacked(part, "gzip" if part.head.name == PACKED else ""):
            incoming.write(piece)
    except BlobTooLarge:
        raise ApiError("Chunk size too large") from None
