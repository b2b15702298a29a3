"""Write the API schema to docs/openapi.yaml, or check that the file is current."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file differs, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "openapi.yaml"
        text = _render()
        if not options["check"]:
            path.write_bytes(text)
            self.stdout.write(f"wrote {path.relative_to(settings.BASE_DIR)}")
        elif not path.exists() or path.read_bytes() != text:
            raise CommandError("docs/openapi.yaml is not current: run `make docs` and commit the result")


def _render() -> bytes:
    """The schema as YAML. Raises CommandError when a view is not described well enough."""
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    problems = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    if problems:
        raise CommandError("the schema has gaps:\n" + "\n".join(map(str, problems)))
    validate_schema(schema)
    return bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))
