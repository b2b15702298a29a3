"""Write docs/settings.md from the table of settings, or check that the file is current."""

from __future__ import annotations

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from symbolsvc.environment import BASE_DIR, SETTINGS, Setting

_INTRODUCTION: Final = """# Settings

Every setting is an environment variable. This page is made by `manage.py settings_docs` from
`symbolsvc/environment/`.

A secret can also be read from a file: `DATABASE_URL_FILE=/run/secrets/database` stands for `DATABASE_URL`.

| Name | Default | Secret | Meaning |
|---|---|---|---|
"""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file differs, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path = BASE_DIR / "docs" / "settings.md"
        text = render()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"wrote {path.relative_to(BASE_DIR)}")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError("docs/settings.md is not current: run `make docs` and commit the result")


def render() -> str:
    """The page, in Markdown."""
    return _INTRODUCTION + "".join(f"{_row(setting)}\n" for setting in SETTINGS)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    return f"| `{setting.name}` | {default} | {'yes' if setting.secret else ''} | {setting.doc} |"
