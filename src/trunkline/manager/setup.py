"""Ready-to-paste configuration for the PBX of a profile (SPEC R2.8)."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.store.models import Profile
from trunkline.usecases import credentials
from trunkline.usecases.pbx_config import WRITERS, TrunkDetails
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.confirmation import confirm_identity
from trunkline.web.forms import PageForm

TRANSPORTS = (("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS (encrypted)"))
HIDDEN = "YOUR-PASSWORD"


class SetupForm(PageForm):
    pbx = forms.ChoiceField(label="PBX", choices=[(name, name) for name in WRITERS])
    transport = forms.ChoiceField(label="Transport", choices=TRANSPORTS)
    extension = forms.RegexField(r"^[A-Za-z0-9_.*#-]{1,32}$", label="Extension that rings", initial="100")


@dataclass(frozen=True, slots=True)
class Snippet:
    ident: str
    name: str
    content: str


@open_to(Audience.LOOK)
@require_safe
def setup(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """With a stand-in for the password."""
    return _page(request, scope.profile_of(request, profile_id), password=HIDDEN)


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def setup_with_password(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    return _page(request, profile, password=credentials.reveal_password(**acting(request), profile_id=profile.pk).password)


def _page(request: CompanyRequest, profile: Profile, *, password: str) -> HttpResponse:
    form = SetupForm({"pbx": "Asterisk", "transport": "udp", "extension": "100"} | request.GET.dict())
    snippets = [] if not form.is_valid() else _snippets(profile, form.cleaned_data, password)
    page = {"form": form, "snippets": snippets, "hidden": password == HIDDEN, "echo_number": request.company.price_list.echo_number}
    return page_of(request, profile, "manager/setup.html", page)


def _snippets(profile: Profile, chosen: dict[str, str], password: str) -> list[Snippet]:
    instance = scope.instance()
    registers = not profile.ip_auth_address
    numbers = profile.numbers.order_by("e164").values_list("e164", flat=True)
    details = TrunkDetails(
        profile=profile.name,
        domain=instance.sip_domain,
        server=instance.advertised_address,
        port=instance.sips_port if chosen["transport"] == "tls" else instance.sip_port,
        sip_user=profile.sip_user if registers else "",
        password=password if registers else "",
        transport=chosen["transport"],
        srtp=chosen["transport"] == "tls",
        extensions=dict.fromkeys(numbers, chosen["extension"]),
    )
    return [Snippet(f"snippet-{at}", name, content) for at, (name, content) in enumerate(WRITERS[chosen["pbx"]](details).items())]


urlpatterns = [
    path("trunks/<int:profile_id>/setup", setup, name="profile_setup"),
    path("trunks/<int:profile_id>/setup/complete", setup_with_password, name="profile_setup_complete"),
]
