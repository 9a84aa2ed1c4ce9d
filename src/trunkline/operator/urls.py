"""Routes below `/operator`. Each area is a module with `urlpatterns` of its own; one line here."""

from __future__ import annotations

from django.urls import include, path

AREAS = (
    "trunkline.operator.companies",
    "trunkline.operator.calls",
    "trunkline.operator.call_records",
    "trunkline.operator.flags",
    "trunkline.operator.carriers",
    "trunkline.operator.prices",
    "trunkline.operator.price_import",
    "trunkline.operator.numbers",
    "trunkline.operator.payments",
    "trunkline.operator.limits",
    "trunkline.operator.outbox",
    "trunkline.operator.health",
    "trunkline.operator.incidents",
    "trunkline.operator.verification",
    "trunkline.operator.mail",
    "trunkline.operator.log",
    "trunkline.operator.help",
)
urlpatterns = [path("", include(area)) for area in AREAS]
