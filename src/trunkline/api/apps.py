"""The pages of a company as a Django application."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "trunkline.api"
    label = "api"
