from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.installation import rotate_key
        from core.rotation import register_rotation

        register_rotation("installation", rotate_key)
