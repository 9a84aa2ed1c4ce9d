"""What would happen if the PBX of a profile dialled this now: the decision of a call that nobody makes (SPEC R13)."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.domain.admission import Decision
from trunkline.domain.rating import MICROSECONDS, Rate
from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.manager.reports.explain import Step, Viewpoint, in_words
from trunkline.usecases.dry_run import LONGEST_NUMBER, DryRun, dry_run
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

EXAMPLE_MINUTES = (1, 5, 30)


class NumberForm(PageForm):
    number = forms.CharField(label="Number", max_length=LONGEST_NUMBER)
    caller = forms.CharField(label="Caller ID that the PBX sends", max_length=LONGEST_NUMBER, required=False)
    anonymous = forms.BooleanField(label="The PBX asks to withhold it", required=False)
    plain = forms.BooleanField(label="Without encrypted media (SRTP)", required=False)


@dataclass(frozen=True, slots=True)
class Example:
    """What a call of that length costs when money pays all of it."""

    minutes: int
    cost_micros: int


@open_to(Audience.LOOK)
@require_safe
def try_number(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """The number is in the address, so that an answer can be sent to somebody. Nothing is held, booked or written."""
    profile = scope.profile_of(request, profile_id)
    form = NumberForm(request.GET if "number" in request.GET else None)
    found: DryRun | None = None
    if form.is_valid():
        given = form.cleaned_data
        about = {"dialled": given["number"], "caller": given["caller"], "anonymous": given["anonymous"], "srtp": not given["plain"]}
        found = form.act(dry_run, engines_now=engines_now(), profile_id=profile.pk, **about)
    page = {"form": form, "echo_number": request.company.price_list.echo_number} | (_answer(request, found) if found else {})
    return page_of(request, profile, "manager/dry_run.html", page)


def _answer(request: CompanyRequest, found: DryRun) -> dict[str, object]:
    decision = found.decision
    return {
        "found": found,
        "decision": decision,
        "refusal": decision.refusal,
        "steps": _steps(decision, request.company.pk, request.company.currency),
        "is_free": found.can_call and (decision.rate is None or decision.rate.is_free),
        "pays_manager": decision.caller is not None and decision.purse_id == decision.caller.manager_purse_id,
        "is_longest": found.lasts_seconds == decision.max_seconds,
        "examples": _examples(decision.rate) if decision.rate and not found.bundle_seconds else [],
    }


def _steps(decision: Decision, company_id: int, currency: str) -> list[Step]:
    """As the call's own page would tell it."""
    callee = decision.callee
    other = callee.name if callee is not None and callee.manager_id != company_id else ""
    return in_words(decision.trace, Viewpoint(currency, decision.direction, other))


def _examples(rate: Rate) -> list[Example]:
    counts = ((minutes, rate.increments_for(minutes * 60 * MICROSECONDS)) for minutes in EXAMPLE_MINUTES)
    return [Example(minutes, rate.cost_of(count) + rate.connection_fee_micros) for minutes, count in counts]


urlpatterns = [path("trunks/<int:profile_id>/try", try_number, name="profile_try")]
