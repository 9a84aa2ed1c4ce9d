"""The toolbar and the left menus. A new page of the Manager adds its line here, and a test follows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from trunkline.web.access import Audience


@dataclass(frozen=True, slots=True)
class Place:
    """`url` is a route's name. `within`: names of routes, or their beginnings, that light this entry up. `audience`: for whom it is shown."""

    text: str
    url: str
    within: tuple[str, ...] = ()
    audience: Audience = Audience.LOOK


@dataclass(frozen=True, slots=True)
class Entry:
    text: str
    href: str
    current: bool


TOOLBAR = (
    Place("Overview", "overview"),
    Place(
        "Features",
        "features",
        ("features", "trunk", "profile", "channels", "bundles", "barring", "incoming", "caller_id", "number", "landline", "schematic"),
    ),
    Place("Credit", "credit", ("credit", "payment", "recharge")),
    Place("Reports", "reports", ("reports", "archive"), Audience.REPORTS),
    Place("People", "members", ("members", "member", "invitation", "api_token", "webhook", "account", "verification")),
    Place("History", "history"),
)
FEATURES = (
    Place("Trunks", "trunks", ("trunk", "profile")),
    Place("Online Numbers", "numbers", ("number",)),
    Place("Landlines", "landlines", ("landline",)),
    Place("Schematic", "schematic"),
)
PEOPLE = (
    Place("Who may sign in", "members", ("member", "invitation")),
    Place("Business accounts", "accounts", ("account",)),
    Place("Groups", "account_groups", ("account_group",)),
    Place("API tokens", "api_tokens", ("api_token",), Audience.ADMINISTER),
    Place("Webhooks", "webhooks", ("webhook",), Audience.ADMINISTER),
    Place("Company verification", "verification", ("verification",)),
)
CREDIT = (
    Place("Add Credit", "credit", ("credit",)),
    Place("Auto-recharge", "recharge"),
    Place("Payment methods", "payment_methods", ("payment_method",)),
    Place("Payments", "payments", ("payment",)),
    Place("Letters", "credit_notices"),
)
PROFILE = (
    Place("Profile", "profile", ("profile", "channels", "bundles", "barring", "incoming", "caller_id")),
    Place("Authentication details", "profile_authentication", ("profile_authentication", "profile_password", "profile_ip")),
    Place("PBX setup", "profile_setup", ("profile_setup",)),
    Place("Try a number", "profile_try", ("profile_try",)),
    Place("Reports", "profile_reports", ("profile_reports",), Audience.REPORTS),
)
ACCOUNT = (
    Place("E-mail address", "account_email", ("account_email",), Audience.SIGNED_IN),
    Place("Password", "account_change_password", ("account_set_password",), Audience.SIGNED_IN),
    Place("Second factor", "mfa_index", ("mfa",), Audience.SIGNED_IN),
    Place("Sessions", "usersessions_list", (), Audience.SIGNED_IN),
)
OPERATOR = (
    Place("Companies", "operator_companies", ("operator_compan",), Audience.STAFF),
    Place("Verification", "operator_verification", ("operator_verification",), Audience.STAFF),
    Place("Live calls", "operator_calls", ("operator_call",), Audience.STAFF),
    Place("Flags", "operator_flags", (), Audience.STAFF),
    Place("Carriers", "operator_carriers", ("operator_carrier",), Audience.STAFF),
    Place("Price lists", "operator_price_lists", ("operator_price",), Audience.STAFF),
    Place("Number stock", "operator_numbers", ("operator_number",), Audience.STAFF),
    Place("Payments", "operator_payments", ("operator_payment", "operator_event"), Audience.STAFF),
    Place("Purchase limits", "operator_limits", ("operator_limit",), Audience.STAFF),
    Place("Outbox", "operator_outbox", (), Audience.STAFF),
    Place("Health", "operator_health", (), Audience.STAFF),
    Place("Incidents", "operator_incidents", ("operator_incident",), Audience.STAFF),
    Place("Log", "operator_log", (), Audience.STAFF),
    Place("Guide", "operator_guides", ("operator_guide",), Audience.STAFF),
    Place("Mail", "operator_mail", ("operator_letter",), Audience.OPERATOR),
)


def toolbar(request: HttpRequest) -> list[Entry]:
    """None is current on the pages of one's own account, whose names begin like those of business accounts."""
    return menu(request, TOOLBAR, beside=ACCOUNT)


def menu(request: HttpRequest, places: tuple[Place, ...], *args: object, beside: tuple[Place, ...] = ()) -> list[Entry]:
    """The places that this person may go to; `args` are those of their URLs. The longest match is current, unless one `beside` has it."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    role = getattr(getattr(request, "membership", None), "role", "") or getattr(request.user, "staff", "")
    shown = [place for place in places if place.audience is Audience.SIGNED_IN or role in place.audience.roles]
    best = max((*beside, *shown), key=lambda place: _match(place, here), default=None)
    return [Entry(place.text, reverse(place.url, args=args), place is best and _match(place, here) > 0) for place in shown]


def _match(place: Place, here: str) -> int:
    return max((len(beginning) for beginning in (place.url, *place.within) if here.startswith(beginning)), default=0)
