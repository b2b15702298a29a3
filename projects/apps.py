from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Extensions of the schema register themselves when they are imported.
        import core.openapi  # noqa: F401
        import projects.openapi  # noqa: F401
        from projects.pages.own import register

        register()
