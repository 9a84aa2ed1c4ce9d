"""The pages of a company as a Django application."""

from django.apps import AppConfig


class ManagerConfig(AppConfig):
    name = "trunkline.manager"
    label = "manager"
