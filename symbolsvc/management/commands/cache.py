"""Show what the cache directory of this host holds, or purge it, by module, source, project or as a whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from engine import caches
from engine.caches import BadSelection, Selection
from projects.access import SYSTEM
from projects.models import Organization, Project
from symbolication import caching
from symbolication.caching import Wish
from symbolsvc.management.base import OperatorCommand, organization_named, project_named
from symbolsvc.running.keeper import limits_of


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=("stats", "purge"))
        parser.add_argument("--debug-id", metavar="ID", help="files of the module with this debug id or code id")
        parser.add_argument("--source", metavar="ID", help="files of the sources with this id")
        parser.add_argument("--org", metavar="SLUG", help="files fetched for this organization")
        parser.add_argument("--project", metavar="SLUG", help="files of the sources of this project (needs --org)")
        parser.add_argument("--all", action="store_true", help="purge everything, the operator's sources included")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = Wish(options["source"], options["debug_id"])
        organization, project = _place(options)
        selection = _selection(organization, project, wish)
        if options["action"] == "stats":
            self._stats(selection, as_json=options["json"])
            return
        if selection.everything and not options["all"]:
            raise CommandError("Name what to purge (--debug-id, --source, --org, --project), or say --all.")
        if options["all"] and not selection.everything:
            raise CommandError("--all goes without further options.")
        removed = asdict(_purge(organization, project, selection, wish))
        self.print_result(
            removed,
            "Removed {files} files and {misses} misses, {bytes} bytes.".format(**removed),
            as_json=options["json"],
        )

    def _stats(self, selection: Selection, *, as_json: bool) -> None:
        root = Path(settings.CACHE_DIR)
        kinds = {kind: asdict(used) for kind, used in caches.usage(root, selection).items()}
        total = sum(used["bytes"] for used in kinds.values())
        limit = limits_of(settings.ENVIRONMENT, root).max_bytes
        row = "{:<16} {files:>9} files {misses:>9} misses {bytes:>15} bytes"
        lines = [row.format(kind, **used) for kind, used in kinds.items()]
        self.print_result(
            {"directory": str(root), "bytes": total, "max_bytes": limit, "kinds": kinds},
            "\n".join([*lines, f"{total} bytes in {root}; the limit is {limit}"]),
            as_json=as_json,
        )


def _place(options: dict[str, Any]) -> tuple[Organization | None, Project | None]:
    if options["org"] is None:
        if options["project"] is not None:
            raise CommandError("--project: say which organization it belongs to with --org.")
        return None, None
    organization = organization_named(options["org"])
    return organization, project_named(organization, options["project"]) if options["project"] else None


def _selection(organization: Organization | None, project: Project | None, wish: Wish) -> Selection:
    if organization is not None:
        return caching.selected(organization, project, wish)
    try:
        return Selection.of(sources=None if wish.source is None else [wish.source], module=wish.debug_id or "")
    except BadSelection as error:
        raise CommandError(f"--debug-id: {error.message}") from None


def _purge(
    organization: Organization | None, project: Project | None, selection: Selection, wish: Wish
) -> caches.Usage:
    if organization is None:
        return caches.purge(Path(settings.CACHE_DIR), selection)
    return caching.purge(organization=organization, project=project, actor=SYSTEM, selection=selection, wish=wish)
