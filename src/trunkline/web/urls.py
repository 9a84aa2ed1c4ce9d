"""Routes of the web process. Each area has its own; one line here."""

from __future__ import annotations

from django.urls import include, path

from trunkline.web import problems, views

urlpatterns = [
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
    path("theme", views.theme, name="theme"),
    path("", include("trunkline.web.status")),
    path("", include("trunkline.web.accounts.urls")),
    path("", include("trunkline.manager.urls")),
    path("operator/", include("trunkline.operator.urls")),
    path("api/v1/", include("trunkline.api.urls")),
]
handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.failed
