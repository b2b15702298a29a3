from django.apps import AppConfig


class AppStoreConfig(AppConfig):
    name = "debugfiles.appstore"
    label = "appstore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Notice sources that are stored or changed, in the transaction that does it."""
        from django.db.models.signals import post_save

        from debugfiles.appstore.services import notice_source
        from sources.models import SymbolSource

        post_save.connect(notice_source, sender=SymbolSource, dispatch_uid="appstore")
