from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "symbolsvc"

    def ready(self) -> None:
        from symbolsvc.operations.left_alone import listen

        listen()
