"""Which guides there are, and which page each belongs to. A new page names its topic here, or begins like one that does."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Topic:
    """`opens`: the route of the page that it is about, or leads to it; empty: only a letter does. `within`: names of routes, or their beginnings."""

    slug: str
    title: str
    summary: str
    opens: str
    within: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse("help_topic", args=[self.slug])

    @property
    def template(self) -> str:
        return f"manager/help/topics/{self.slug}.html"


TOPICS = (
    Topic("start", "From nothing to the first call", "What to do in which order, when you begin.", "trunks"),
    Topic("overview", "Overview", "Credit, calls now, and what needs attention.", "overview", ("overview", "features")),
    Topic("trunks", "Trunks", "The list of SIP Profiles, one for each PBX.", "trunks", ("trunks",)),
    Topic("new-profile", "Create a SIP Profile", "Name, channels, bundles, review: a price before you buy.", "profile_create", ("profile_create",)),
    Topic("profile", "A SIP Profile", "Its rows, and how it is at this moment.", "trunks", ("profile",)),
    Topic(
        "authentication", "Authentication details", "How a PBX proves who it is: by password or by address.", "trunks",
        ("profile_authentication", "profile_password", "profile_ip"),
    ),
    Topic("pbx-setup", "PBX setup", "Configuration to paste into your PBX.", "trunks", ("profile_setup",)),
    Topic("try", "Try a number", "What would happen if the PBX dialled it, and what it would cost.", "trunks", ("profile_try",)),
    Topic(
        "channels", "Calling channels", "How many calls at once; buying, changing, cancelling, and how many you need.", "trunks",
        ("channels", "profile_channel", "profile_create_advice"),
    ),
    Topic("bundles", "Minute bundles", "Minutes to one country, paid ahead for 30 days.", "trunks", ("bundles",)),
    Topic("profile-credit", "Credit for outgoing calls", "What a profile's calls are paid from.", "trunks", ("profile_credit", "profile_recharge")),
    Topic("barring", "Barring and limits", "What a profile does not call, and how dear and how fast it calls.", "trunks", ("barring",)),
    Topic("delete-profile", "Delete a SIP Profile", "What happens to its Credit, numbers and records.", "trunks", ("profile_delete",)),
    Topic("incoming", "Incoming calls", "Which numbers and names ring in a PBX.", "trunks", ("incoming",)),
    Topic("caller-id", "Caller ID", "Which number the called person sees.", "trunks", ("caller_id",)),
    Topic("numbers", "Online Numbers", "Numbers rented by the month.", "numbers", ("number",)),
    Topic("landlines", "Landlines", "Numbers that you have elsewhere, shown as Caller ID.", "landlines", ("landline",)),
    Topic("schematic", "Schematic", "Everything you have, and how it is connected, as one picture.", "schematic", ("schematic",)),
    Topic("credit", "Credit and payments", "Paying in, limits, and what was paid.", "credit", ("credit", "payment", "fake")),
    Topic("auto-recharge", "Auto-recharge", "Enough Credit without thinking of it.", "recharge", ("recharge",)),
    Topic("payment-methods", "Payment methods", "Stored cards, and which is charged.", "payment_methods", ("payment_method",)),
    Topic("letters", "Letters", "What is mailed, to whom, and when.", "credit_notices", ("credit_notices",)),
    Topic("people", "People and roles", "Who may sign in, and what each role may do.", "members", ("member", "invitation_")),
    Topic(
        "your-account", "Your own account", "E-mail address and password, and what else is yours.", "account_email",
        ("account_email", "account_change_password", "account_set_password"),
    ),
    Topic(
        "second-factor", "Second factor and passkeys", "What a stolen password is not enough for.", "mfa_index",
        ("mfa", "account_reauthenticate"),
    ),
    Topic("sessions", "Sessions", "Where you are signed in, and signing out there.", "usersessions_list", ("usersession",)),
    Topic(
        "sign-in", "Sign in", "By password or passkey, and what to do when something is forgotten.", "account_login",
        (
            "account_login", "account_logout", "account_inactive", "account_reset_password", "account_confirm_password", "account_complete_password",
            "mfa_authenticate", "mfa_login",
        ),
    ),
    Topic(
        "sign-up", "Open a Manager", "For a company in a country; whoever opens it administers it.", "account_signup",
        ("account_signup", "another_company", "no_company"),
    ),
    Topic("invitation", "Come in by invitation", "From the letter to the company.", "", ("invitation",)),
    Topic("accounts", "Business accounts", "Names that are called for free, or people who sign in.", "accounts", ("account", "profile_account")),
    Topic("api-tokens", "API tokens", "Let programs do what people can.", "api_tokens", ("api_token",)),
    Topic("webhooks", "Webhooks", "Your own programs are told what happens.", "webhooks", ("webhook",)),
    Topic("verification", "Company verification", "Documents that the operator looks at, and what that allows.", "verification", ("verification",)),
    Topic("reports", "Reports", "Usage, incoming calls and allocations by month.", "reports", ("reports", "profile_reports", "archive_profile")),
    Topic("call", "A call, explained", "Why a call went as it did, and what it cost.", "reports", ("reports_call",)),
    Topic(
        "statement", "Statement", "Every movement of a purse, with the balance after it.", "reports_statement",
        ("reports_statement", "profile_reports_statement", "archive_profile_statement"),
    ),
    Topic("archive", "Deleted profiles", "Where the reports of deleted profiles are.", "reports_archive", ("reports_archive", "archive")),
    Topic("history", "History", "Who changed what, when, and from where.", "history", ("history",)),
)  # fmt: skip
BY_SLUG = {topic.slug: topic for topic in TOPICS}


def topic_of(route: str) -> Topic | None:
    """The one with the longest beginning of the route's name; None: the page has none."""
    matches = ((len(beginning), topic) for topic in TOPICS for beginning in topic.within if route.startswith(beginning))
    return max(matches, key=lambda match: match[0], default=(0, None))[1]


def help_here(request: HttpRequest) -> dict[str, Topic | None]:
    """A context processor: the guide to the page that is shown."""
    here = request.resolver_match
    return {"help_topic": topic_of(here.view_name) if here is not None else None}
