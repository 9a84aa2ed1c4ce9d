"""Routes of the web process."""

from django.urls import path

from trunkline.manager import views

urlpatterns = [
    path("", views.welcome, name="welcome"),
    path("health", views.health, name="health"),
]
