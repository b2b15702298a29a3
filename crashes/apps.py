from django.apps import AppConfig


class CrashesConfig(AppConfig):
    name = "crashes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crashes.again.arriving import listen
        from crashes.pages import keys_own
        from crashes.pages.lists_own import register
        from crashes.pages.missing import register_missing
        from crashes.pages.now import register as register_now
        from debugfiles.arrivals import on_arrival

        on_arrival(listen)
        register()
        register_now()
        register_missing()
        keys_own.register()
