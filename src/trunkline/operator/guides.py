"""Which guides to the console there are, and which pages each is about. A new page names its guide here, or begins like one that does."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Guide:
    """`opens`: the route of its page. `within`: beginnings of names of routes that it is about."""

    slug: str
    title: str
    opens: str
    within: tuple[str, ...]

    @property
    def url(self) -> str:
        return reverse("operator_guide", args=[self.slug])

    @property
    def template(self) -> str:
        return f"operator/help/{self.slug}.html"


GUIDES = (
    Guide("first-day", "The first day", "operator_health", ("operator_guide",)),
    Guide("companies", "Companies", "operator_companies", ("operator_compan", "operator_profile")),
    Guide("verification", "Verification", "operator_verification", ("operator_verification",)),
    Guide("calls", "Calls", "operator_calls", ("operator_call",)),
    Guide("flags", "Flags", "operator_flags", ("operator_flags",)),
    Guide("carriers", "Carriers", "operator_carriers", ("operator_carrier",)),
    Guide("prices", "Price lists", "operator_price_lists", ("operator_price",)),
    Guide("numbers", "Number stock", "operator_numbers", ("operator_number",)),
    Guide("payments", "Payments", "operator_payments", ("operator_payment", "operator_event", "operator_company_book")),
    Guide("limits", "Purchase limits", "operator_limits", ("operator_limit",)),
    Guide("outbox", "Outbox and mail", "operator_outbox", ("operator_outbox", "operator_mail", "operator_letter")),
    Guide("health", "Health", "operator_health", ("operator_health",)),
    Guide("incidents", "Incidents", "operator_incidents", ("operator_incident",)),
    Guide("log", "Log", "operator_log", ("operator_log",)),
)
BY_SLUG = {guide.slug: guide for guide in GUIDES}


def guide_to(route: str) -> Guide | None:
    """The one with the longest beginning of the route's name."""
    matches = ((len(beginning), guide) for guide in GUIDES for beginning in guide.within if route.startswith(beginning))
    return max(matches, key=lambda match: match[0], default=(0, None))[1]
