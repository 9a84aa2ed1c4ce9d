"""The store as a Django application."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "trunkline.store"
    label = "store"
    verbose_name = "Trunkline store"
    default_auto_field = "django.db.models.BigAutoField"
