from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "symbolsvc"

    def ready(self) -> None:
        from symbolsvc import checks  # noqa: F401 - registers itself
        from symbolsvc.operations.left_alone import listen

        listen()
