"""Calls: records, totals, those in progress, and what would happen if one was made."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, profile_ever, profile_of
from trunkline.api.shapes import LARGEST_ID, TEXT, Cursor, Ident, Input, Limit, Moment, Money, answers, moment_us, money, number_in
from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.months import Month
from trunkline.store import usage
from trunkline.store.clock import now
from trunkline.store.ledger import microseconds
from trunkline.store.models import LiveCall, Profile
from trunkline.store.usage import Filters, Scope, Totals
from trunkline.usecases.dry_run import dry_run
from trunkline.web.access import Audience
from trunkline.web.call_sight import company_ladder, record_seen_by
from trunkline.web.ladders import Rung

router = Router(tags=["Calls"])
FIRST_YEAR, LAST_YEAR = 2000, 2200
MOST_LIVE = 1000

MonthText = Annotated[
    str, Query(pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$", description="2026-12, in the Manager's time zone; empty: this one")
]
ProfileId = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="only this SIP Profile's; deleted ones too")]
CallId = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="as in the list of calls")]
Direction = Annotated[Literal["", "outgoing", "incoming"], Query()]
Result = Annotated[Literal["", "answered", "busy", "no_answer", "cancelled", "failed", "refused", "lost"], Query()]
PaidBy = Annotated[Literal["", "profile", "manager", "bundle", "both"], Query()]
Number = Annotated[str, Query(pattern=r"^\+?[0-9]{0,15}$", description="beginning of the number called, with the country code")]
Destination = Annotated[str, Query(max_length=120, pattern=TEXT)]


class CallOut(Schema):
    """One side of a call: of one between two profiles there are two."""

    id: str
    profile_id: int
    direction: str
    started_at: Moment
    caller: str
    dialled: str
    number: str
    destination: str
    country: str
    duration_seconds: int
    billed_seconds: int
    bundle_seconds: int
    cost: Money
    paid_by: str
    result: str
    refusal: str


class CallsOut(Schema):
    """With filters a page may have few calls, or none, and yet a next one."""

    items: list[CallOut]
    next_cursor: str | None


class RungOut(Schema):
    """`what`: method or status. `message`: first line and headers; empty on the network's side."""

    at: Moment
    sender: str
    receiver: str
    what: Annotated[str, Field(examples=["180 Ringing"])]
    message: str


class LadderOut(Schema):
    """`incomplete`: not everything was captured at that time, or it can't be read now."""

    items: list[RungOut]
    incomplete: bool


class TotalsOut(Schema):
    attempts: int
    answered: int
    duration_seconds: int
    billed_seconds: int
    bundle_seconds: int
    cost: Money


class DayOut(Schema):
    day: Annotated[str, Field(examples=["2026-12-01"])]
    outgoing: TotalsOut
    incoming: TotalsOut


class UsageOut(Schema):
    month: str
    outgoing: TotalsOut
    incoming: TotalsOut
    days: list[DayOut]


class LiveOut(Schema):
    id: str
    state: str
    direction: str
    caller_profile_id: int | None
    callee_profile_id: int | None
    number: str
    started_at: Moment
    answered_at: Moment | None
    paid_until: Moment | None


class LivesOut(Schema):
    items: list[LiveOut]


class DryRunIn(Input):
    """`number`: as the PBX dials it. `caller`: the number that it presents. `srtp`: it offers encrypted media."""

    profile_id: Ident
    number: Annotated[str, Field(min_length=1, max_length=64, examples=["+14155550100"])]
    caller: Annotated[str, Field(max_length=64)] = ""
    anonymous: bool = False
    srtp: bool = True


class RefusalOut(Schema):
    code: str
    name: str
    sip_status: int
    text: str
    remedy: str
    help: str


class StepOut(Schema):
    step: str
    what: str


class RateOut(Schema):
    destination: str
    prefix: str
    per_minute: Money
    connection_fee: Money
    first_increment_seconds: int
    next_increment_seconds: int


class DryRunOut(Schema):
    """`steps`: the decision, as it would be kept with the call."""

    can_call: bool
    number: str
    shown: str
    rate: RateOut | None
    refusal: RefusalOut | None
    steps: list[StepOut]


@router.get("/calls", auth=Right(Audience.RECORDS), response=answers(CallsOut), summary="Call records of a month")
def list_calls(  # noqa: PLR0917 - ninja names them
    request: ApiRequest,
    month: MonthText = "",
    profile_id: ProfileId = None,
    direction: Direction = "",
    result: Result = "",
    paid_by: PaidBy = "",
    number: Number = "",
    destination: Destination = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Newest first. Needs a token that may see call details."""
    filters = Filters(direction, result, number.lstrip("+"), paid_by, destination)
    before = number_in(cursor) if cursor else None
    found = usage.page_of_calls(_scope(request, profile_id), _month(request, month), filters, before=before, size=limit)
    following = None if found.next_before is None else str(found.next_before)
    return {"items": [_call(line) for line in found.lines], "next_cursor": following}


@router.get("/calls/{call_id}/ladder", auth=Right(Audience.RECORDS), response=answers(LadderOut), summary="SIP messages of a call")
def get_call_ladder(request: ApiRequest, call_id: CallId) -> dict[str, Any]:
    """As its page shows them: one's own side with headers, of the network that something was said. Kept for some days."""
    record = record_seen_by(request.company.pk, int(call_id))
    if record is None:
        raise NotFound(f"There is no call {call_id}.")
    shown = company_ladder(record, request.company.pk)
    return {"items": [_rung(rung) for rung in shown.rungs], "incomplete": shown.is_paused or shown.trouble}


@router.get("/usage", auth=Right(Audience.REPORTS), response=answers(UsageOut), summary="Totals of a month, day by day")
def get_usage(request: ApiRequest, month: MonthText = "", profile_id: ProfileId = None) -> dict[str, Any]:
    found, currency = usage.usage_of_month(_scope(request, profile_id), _month(request, month)), request.company.currency
    days = [
        {"day": each.day.isoformat(), "outgoing": _totals(each.outgoing, currency), "incoming": _totals(each.incoming, currency)}
        for each in found.days
    ]
    return {
        "month": f"{found.month.first:%Y-%m}",
        "outgoing": _totals(found.outgoing, currency),
        "incoming": _totals(found.incoming, currency),
        "days": days,
    }


@router.get("/live-calls", auth=Right(Audience.RECORDS), response=answers(LivesOut), summary="Calls in progress")
def list_live_calls(request: ApiRequest) -> dict[str, Any]:
    mine = set(Profile.objects.filter(manager=request.company).values_list("pk", flat=True))
    found = LiveCall.objects.filter(Q(caller_profile__in=mine) | Q(callee_profile__in=mine)).order_by("-pk")[:MOST_LIVE]
    return {"items": [_live(call, mine) for call in found]}


@router.post("/dry-run", auth=Right(Audience.LOOK), response=answers(DryRunOut), summary="Can I call this?")
def make_dry_run(request: ApiRequest, wanted: DryRunIn) -> dict[str, Any]:
    """The decision that a call would meet at this moment; nothing is held, and nobody is called."""
    about = wanted.dict(exclude={"profile_id", "number"})
    profile_id = profile_of(request, wanted.profile_id).pk
    decision = dry_run(engines_now=datetime.now(UTC), profile_id=profile_id, dialled=wanted.number, **about).decision
    rate, refusal = decision.rate, decision.refusal
    return {
        "can_call": refusal is None,
        "number": f"+{decision.number}" if decision.number else "",
        "shown": f"+{decision.shown}" if decision.shown else "",
        "rate": {
            "destination": rate.destination,
            "prefix": rate.prefix,
            "per_minute": money(rate.rate_per_minute_micros, rate.currency),
            "connection_fee": money(rate.connection_fee_micros, rate.currency),
            "first_increment_seconds": rate.first_increment_seconds,
            "next_increment_seconds": rate.next_increment_seconds,
        }
        if rate
        else None,
        "refusal": {
            "code": refusal.code,
            "name": refusal.name,
            "sip_status": refusal.status,
            "text": refusal.text,
            "remedy": refusal.remedy,
            "help": f"{settings.INSTANCE.web_url}{reverse('help_refusal', args=[refusal.code])}",
        }
        if refusal
        else None,
        "steps": [{"step": step, "what": what} for step, what in decision.trace],
    }


def month_of(request: ApiRequest, text: str) -> date:
    """Its first day."""
    return _month(request, text).first


def _scope(request: ApiRequest, profile_id: int | None) -> Scope:
    return Scope(request.company.pk, None if profile_id is None else profile_ever(request, profile_id).pk)


def _month(request: ApiRequest, text: str) -> Month:
    zone = ZoneInfo(request.company.time_zone)
    if not text:
        return Month.of(microseconds(now()), zone)
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise Invalid("month", f"A month is written like 2026-12, from {FIRST_YEAR} to {LAST_YEAR}.")
    return Month(date(int(text[:4]), int(text[5:]), 1), zone)


def _call(line: usage.Line) -> dict[str, Any]:
    same = (
        "profile_id",
        "direction",
        "caller",
        "dialled",
        "destination",
        "country",
        "duration_seconds",
        "billed_seconds",
        "bundle_seconds",
    )
    return {
        "id": str(line.call_ref),
        "started_at": moment_us(line.started_us),
        "number": f"+{line.callee}" if line.callee else "",
        "cost": money(line.cost_micros, line.currency),
        **{name: getattr(line, name) for name in (*same, "paid_by", "result", "refusal")},
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {"at": moment_us(rung.at_us), "sender": rung.sender, "receiver": rung.receiver, "what": rung.text, "message": rung.lines}


def _totals(totals: Totals, currency: str) -> dict[str, Any]:
    same = ("attempts", "answered", "duration_seconds", "billed_seconds", "bundle_seconds")
    return {name: getattr(totals, name) for name in same} | {"cost": money(totals.cost_micros, currency)}


def _live(call: LiveCall, mine: set[int]) -> dict[str, Any]:
    """The other company's profile of a call between two is nobody's business."""
    number = json.loads(call.facts).get("number", "")
    return {
        "id": str(call.call_ref),
        "state": call.state,
        "direction": call.direction if call.caller_profile_id in mine else "incoming",
        "caller_profile_id": call.caller_profile_id if call.caller_profile_id in mine else None,
        "callee_profile_id": call.callee_profile_id if call.callee_profile_id in mine else None,
        "number": f"+{number}" if number else "",
        "started_at": moment_us(call.admitted_us),
        "answered_at": None if call.answered_us is None else moment_us(call.answered_us),
        "paid_until": None if call.paid_until_us is None else moment_us(call.paid_until_us),
    }
