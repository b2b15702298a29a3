from django.apps import AppConfig


class DebugFilesConfig(AppConfig):
    name = "debugfiles"
    default_auto_field = "django.db.models.BigAutoField"
