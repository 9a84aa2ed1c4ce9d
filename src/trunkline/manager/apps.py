"""The web pages as a Django application."""

from django.apps import AppConfig


class ManagerConfig(AppConfig):
    name = "trunkline.manager"
    label = "manager"
