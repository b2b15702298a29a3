"""What this room adds to the pages: the step of a new project, and how files are uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from debugfiles.models import ArtifactBundle, DebugFile
from projects.models import Project
from projects.pages.commands import Command, Place, register_commands
from projects.pages.steps import Step, register_step

_STEP: Final = "files"
_SENTRY: Final = ("org:ci",)
_BACKTRACE: Final = ("symbol:post",)


def register() -> None:
    """Once per process."""
    register_step(
        Step(
            _STEP,
            "Upload symbols",
            "Debug files of your own builds, and source maps: from the build, or in the browser. They are used at once,"
            " and crashes that lacked them are symbolicated again.",
            "Files",
            30,
            _has_files,
        )
    )
    register_commands(lines)


def lines(place: Place) -> Iterator[Command]:
    """How files are uploaded, by tools and by hand."""
    named = (
        f"export SENTRY_URL={place.base}/\n"
        f"export SENTRY_AUTH_TOKEN={place.token}\n"
        f"export SENTRY_ORG={place.organization.slug}\n"
        f"export SENTRY_PROJECT={place.slug}"
    )
    natively = f"{named}\nsentry-cli debug-files upload --wait --include-sources build/"
    maps = "sentry-cli sourcemaps inject dist/\nsentry-cli sourcemaps upload --wait dist/"
    by_hand = f"curl -F upload_file=@symbols.zip {place.submission}/symbols{place.chosen}"
    yield Command("Debug files, with sentry-cli", natively, _SENTRY, _STEP)
    yield Command("Source maps, in the same shell", maps, _SENTRY, _STEP)
    yield Command("An archive, with curl", by_hand, _BACKTRACE, _STEP)


def _has_files(project: Project) -> bool:
    if DebugFile.objects.filter(project=project).order_by("-pk").values("pk")[:1]:
        return True
    return ArtifactBundle.objects.filter(projects=project).exists()
