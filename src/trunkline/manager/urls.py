"""Routes of the Manager. Each area is a module with `urlpatterns` of its own; one line here."""

from __future__ import annotations

from django.urls import include, path

AREAS = (
    "trunkline.manager.overview",
    "trunkline.manager.trunks",
    "trunkline.manager.schematic.pages",
    "trunkline.manager.profile",
    "trunkline.manager.authentication",
    "trunkline.manager.setup",
    "trunkline.manager.dry_run",
    "trunkline.manager.wizard",
    "trunkline.manager.advisor",
    "trunkline.manager.channels",
    "trunkline.manager.bundles",
    "trunkline.manager.profile_credit",
    "trunkline.manager.barring",
    "trunkline.manager.deletion",
    "trunkline.manager.top_up",
    "trunkline.manager.payment_methods",
    "trunkline.manager.incoming",
    "trunkline.manager.numbers",
    "trunkline.manager.caller_id",
    "trunkline.manager.members",
    "trunkline.manager.api_tokens",
    "trunkline.manager.webhook_endpoints",
    "trunkline.manager.webhook_deliveries",
    "trunkline.manager.accounts.urls",
    "trunkline.manager.verification",
    "trunkline.manager.history",
    "trunkline.manager.reports.urls",
    "trunkline.manager.webhooks",
    "trunkline.manager.payments_fake",
    "trunkline.manager.help.pages",
)
urlpatterns = [path("", include(area)) for area in AREAS]
