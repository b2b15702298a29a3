from django.apps import AppConfig


class CrashesConfig(AppConfig):
    name = "crashes"
    default_auto_field = "django.db.models.BigAutoField"
