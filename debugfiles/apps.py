from django.apps import AppConfig


class DebugFilesConfig(AppConfig):
    name = "debugfiles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.rotation import register_rotation
        from debugfiles.pages import own
        from debugfiles.scraping import rotate_headers
        from projects.pages import Tab, register_tab

        register_rotation("scraping", rotate_headers)
        # As `upload_views.SCOPES["GET"]`, whose module needs the models first.
        scopes = ("project:read", "project:write", "project:admin", "project:releases", "org:ci")
        register_tab(Tab("Files", "files:files", scopes, place=40))
        own.register()
