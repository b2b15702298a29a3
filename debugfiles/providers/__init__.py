"""A project's own uploads, as the engine asks for them: debug files as a source, scripts and source maps as artifacts.

Both look into the database each time, so what was uploaded a moment ago, by whichever process, is found; both give the
database connection back before they return.
"""

from debugfiles.providers.artifacts import ProjectArtifacts, project_artifacts
from debugfiles.providers.files import SOURCE_ID, SOURCE_NAME, ProjectFiles, project_files

__all__ = [
    "SOURCE_ID",
    "SOURCE_NAME",
    "ProjectArtifacts",
    "ProjectFiles",
    "project_artifacts",
    "project_files",
]
