"""The operator's console as a Django application."""

from django.apps import AppConfig


class OperatorConfig(AppConfig):
    name = "trunkline.operator"
    label = "operator"
