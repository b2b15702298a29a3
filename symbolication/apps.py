from django.apps import AppConfig


class SymbolicationConfig(AppConfig):
    name = "symbolication"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the start."""
        from symbolication import checks  # noqa: F401 - registers on import
