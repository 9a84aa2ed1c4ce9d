"""The foundation of the pages as a Django application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "trunkline.web"
    label = "web"

    def ready(self) -> None:
        from trunkline.web.accounts import journal  # noqa: PLC0415 - signals can be connected when the applications are loaded

        journal.listen()
