"""Uploads for tests: through the services, as an endpoint makes them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from contextlib import contextmanager
from pathlib import Path

from core.blobs import blob_store
from debugfiles import services
from debugfiles.identify import Upload
from engine.modules import DebugId
from projects.access import SYSTEM, ProjectAccess
from projects.models import Project

LEDGER = Path(__file__).parents[1] / "fixtures" / "ledger" / "libledger.so"
LEDGER_DEBUG_ID = "426f9862-c46b-48c4-d981-64228ac3631d"
LEDGER_CODE_ID = "62986f426bc4c448d98164228ac3631dbeb993e8"
PROGUARD = b"# compiler: R8\norg.example.Main -> a.b:\n    1:3:void run():10:12 -> a\n"
LIMIT = 1 << 30


@contextmanager
def incoming(content: bytes, name: str, debug_id: str = ""):
    with blob_store().incoming(LIMIT) as file:
        file.write(content)
        file.finish()
        yield Upload(file, name, DebugId.parse(debug_id))


def upload(project, content, name="file", debug_id=""):
    """The debug files that a content holds, stored for the project."""
    with incoming(content, name, debug_id) as made:
        return services.store_debug_file(project=project, actor=SYSTEM, upload=made)


def upload_bundle(project, content, release="", dist="", projects=(), name="bundle.zip"):
    with incoming(content, name) as made:
        return services.store_artifact_bundle(
            organization=project.organization,
            projects=[project, *projects],
            actor=SYSTEM,
            upload=made,
            release=release,
            dist=dist,
        )


def upload_file(project, version, url, content=b"content", dist="", headers=None):
    release, _ = services.create_release(
        organization=project.organization, projects=[project], actor=SYSTEM, version=version
    )
    with incoming(content, url) as made:
        return services.store_release_file(
            project=project, actor=SYSTEM, release=release, upload=made, dist=dist, headers=headers or {}
        )


def access_to(project):
    """The project as a request opens it: as it is now."""
    project = Project.objects.select_related("organization").get(pk=project.pk)
    return ProjectAccess(project.organization, project, SYSTEM, frozenset())


def bundle_of(files, *, sysb=True, **manifest):
    """An artifact bundle: `{path: (type, url, headers, content)}` and what the manifest says besides."""
    listed = {path: {"type": kind, "url": url, "headers": headers} for path, (kind, url, headers, _) in files.items()}
    made = io.BytesIO()
    if sysb:
        made.write(b"SYSB" + struct.pack("<I", 2))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        for path, (*_, content) in files.items():
            archive.writestr(path, content)
        archive.writestr("manifest.json", json.dumps({"files": listed, **manifest}))
    return made.getvalue()


DEBUG_ID = "11111111-2222-4333-8444-555555555555"
APP = {
    "_/_/app.min.js": ("minified_source", "~/app.min.js", {"debug-id": DEBUG_ID, "Sourcemap": "app.js.map"}, b"x()"),
    "_/_/app.js.map": ("source_map", "~/app.js.map", {"debug-id": DEBUG_ID}, b"{}"),
}
