from django.apps import AppConfig


class SymbolicationConfig(AppConfig):
    name = "symbolication"
    default_auto_field = "django.db.models.BigAutoField"
