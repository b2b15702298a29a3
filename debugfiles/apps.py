from django.apps import AppConfig


class DebugFilesConfig(AppConfig):
    name = "debugfiles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.rotation import register_rotation
        from debugfiles.scraping import rotate_headers

        register_rotation("scraping", rotate_headers)
