"""One call: what it was, why it went as it did, and what was paid for it, posting by posting (SPEC R9.3, R13)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from trunkline.domain.statements import SECONDS
from trunkline.manager.reports.allocations import what_text
from trunkline.manager.reports.calls import SEEN_BY_CALLEE, destination_text, paid_text, result_text
from trunkline.manager.reports.explain import Viewpoint, refusal_of, steps_of
from trunkline.manager.reports.privacy import notice_first
from trunkline.manager.reports.sheet import Cell, money_cell, seconds_cell
from trunkline.store.models import Account, CallRecord, Posting, Profile
from trunkline.usecases import call_records
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.call_sight import company_ladder, record_seen_by
from trunkline.web.company import CompanyRequest
from trunkline.web.ladders import text_answer

MOST_POSTINGS = 300
DIRECTIONS = {"outgoing": "Outgoing", "incoming": "Incoming", "internal": "To another SIP Profile"}
PURSES = {Account.Kind.PROFILE: "Profile's Credit", Account.Kind.MANAGER: "Manager's Credit", Account.Kind.BUNDLE: "Minute bundle"}


@dataclass(frozen=True, slots=True)
class Payment:
    """A posting as its purse sees it: negative when it was paid."""

    at_us: int
    what: str
    note: str
    purse: str
    amount: Cell


@open_to(Audience.RECORDS)
@require_safe
def call(request: CompanyRequest, call_ref: int) -> HttpResponse:
    record = _record_of(request, call_ref)
    if notice := notice_first(request):
        return notice
    is_own = record.manager_id == request.company.pk
    page = _own(record, request) if is_own else _as_callee(record)
    profile = record.profile if is_own else record.peer_profile
    about = {"record": record, "is_own": is_own, "whose": profile, "try_url": _try_url(request, record) if is_own else ""}
    wire = {"ladder": company_ladder(record, request.company.pk), "ladder_text_url": reverse("reports_call_ladder", args=[record.pk])}
    return render(request, "manager/reports/call.html", about | page | wire)


@open_to(Audience.RECORDS)
@require_safe
def call_ladder(request: CompanyRequest, call_ref: int) -> HttpResponse:
    """The SIP ladder as text, for support. The History has it, as every file with calls."""
    record = _record_of(request, call_ref)
    if notice := notice_first(request):
        return notice
    report = f"SIP messages of call {record.pk}"
    call_records.note_export(**acting(request), manager_id=request.company.pk, report=report, file_format="txt")
    return text_answer(company_ladder(record, request.company.pk), record)


def _try_url(request: CompanyRequest, record: CallRecord) -> str:
    """Where the same number can be tried again, for whom it is open; empty: it can't be dialled again."""
    profile, may_look = record.profile, request.membership.role in Audience.LOOK.roles
    if not record.refusal or record.direction == "incoming" or profile is None or profile.state == Profile.State.DELETED or not may_look:
        return ""
    return f"{reverse('profile_try', args=[profile.pk])}?{urlencode({'number': record.dialled})}"


def _record_of(request: CompanyRequest, call_ref: int) -> CallRecord:
    record = record_seen_by(request.company.pk, call_ref)
    if record is None:
        raise Http404
    return record


def _own(record: CallRecord, request: CompanyRequest) -> dict[str, object]:
    peer = record.peer_profile
    other = peer.name if peer and peer.manager_id != request.company.pk else ""
    postings = Posting.objects.filter(call_ref=record.pk).select_related("debit", "credit").order_by("id")
    return {
        "direction": DIRECTIONS.get(record.direction, record.direction),
        "result": result_text(record.result, record.refusal),
        "refusal": refusal_of(record.refusal),
        "paid": paid_text(record.paid_by, record.result),
        "destination": destination_text(record.destination, record.callee, request.company),
        "caller": record.caller_shown if record.direction == "incoming" else record.caller,
        "steps": steps_of(record.trace, Viewpoint(record.currency or request.company.currency, record.direction, other)),
        "payments": [_payment(posting, request.company.currency) for posting in postings[:MOST_POSTINGS]],
        "most_postings": MOST_POSTINGS,
        "reports_url": reverse("reports"),
    }


def _as_callee(record: CallRecord) -> dict[str, object]:
    """What the called side was shown, and nothing that is the caller's business."""
    refusal = record.refusal if record.refusal in SEEN_BY_CALLEE else ""
    return {
        "direction": DIRECTIONS["incoming"],
        "result": result_text(record.result, refusal),
        "refusal": refusal_of(refusal),
        "caller": record.caller_shown,
        "reports_url": reverse("reports_incoming"),
    }


def _payment(posting: Posting, currency: str) -> Payment:
    paid = posting.debit.guarded
    purse = posting.debit if paid else posting.credit
    amount = -posting.amount if paid else posting.amount
    cell = seconds_cell(amount) if purse.currency == SECONDS else money_cell(amount, currency)
    return Payment(posting.posted_us, what_text(posting.kind), posting.note, PURSES.get(Account.Kind(purse.kind), purse.name), cell)
