from django.apps import AppConfig


class CrashesConfig(AppConfig):
    name = "crashes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crashes.again.arriving import listen
        from debugfiles.arrivals import on_arrival

        on_arrival(listen)
