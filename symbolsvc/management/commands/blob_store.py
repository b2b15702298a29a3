"""Say whether this host's blob store is the one of the installation, or have it be that."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.installation import adopt_store, problems
from symbolsvc.management.base import OperatorCommand
from symbolsvc.operations.place import store_name


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--adopt", action="store_true", help="take the store that BLOB_STORE names from now on")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["adopt"]:
            adopt_store()
        found = problems()
        if found:
            raise CommandError("\n".join(found))
        name = store_name()
        self.print_result({"store": name}, f"{name} is the installation's blob store", as_json=options["json"])
