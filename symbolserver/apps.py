from django.apps import AppConfig


class SymbolServerConfig(AppConfig):
    name = "symbolserver"
    default_auto_field = "django.db.models.BigAutoField"
