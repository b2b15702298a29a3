"""Create a key for clients of Sentry, and print the DSN to set them up with."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.management.base import CommandParser

from crashes.sentry.dsn import dsns_of
from crashes.sentry.keys import create_key
from projects.access import SYSTEM
from symbolsvc.management.base import OperatorCommand, organization_named, project_named


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--label", default="", help="what people call the key")
        parser.add_argument("--url", default="", help="where clients reach this service, if PUBLIC_URL does not say")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(organization_named(options["org"]), options["project"])
        key = create_key(project=project, actor=SYSTEM, label=options["label"])
        dsns = dsns_of(key, options["url"])
        self.print_result({"key": key.public, "dsn": msgspec.to_builtins(dsns)}, dsns.public, as_json=options["json"])
