from django.apps import AppConfig


class SymbolServerConfig(AppConfig):
    name = "symbolserver"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say on the pages of tokens how debuggers are set up."""
        from projects.pages.commands import register_commands
        from symbolserver.lines import lines

        register_commands(lines)
