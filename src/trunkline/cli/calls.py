"""`./trunkline calls ...`: what happened, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from trunkline.cli.store import StoreGroup, json_option, show, table
from trunkline.domain.money import decimal_text
from trunkline.domain.months import Month

if TYPE_CHECKING:
    from trunkline.store.usage import Totals

MICROSECONDS = 1_000_000


@click.group(cls=StoreGroup)
def calls() -> None:
    """Calls: in progress, and their records."""


@calls.command("list")
@click.option("--profile", help="Only this SIP Profile's.")
@click.option("--newest", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@json_option
def list_all(profile: str | None, *, newest: int, as_json: bool) -> None:
    """Call records, newest first."""
    from trunkline.store.queries import profile_named, records

    found = records(profile_id=None if profile is None else profile_named(profile).pk, newest=newest)
    rows = [_facts(record) for record in found]
    columns = ("call", "started", "direction", "profile", "number", "result", "duration_seconds", "cost", "paid_by", "refusal")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@calls.command()
@json_option
def live(*, as_json: bool) -> None:
    """Calls in progress: what they hold and what they have paid."""
    from trunkline.store.queries import live_calls

    rows = [_live_facts(call) for call in live_calls()]
    columns = ("call", "state", "direction", "caller", "callee", "since", "paid", "held", "minutes", "paid_until")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@calls.command("show")
@click.argument("call", type=int)
@json_option
def show_one(call: int, *, as_json: bool) -> None:
    """One call: its record, the decision step by step, and every posting."""
    from trunkline.store.queries import postings_of, record

    found = record(call)
    postings = [_posting(each) for each in postings_of(call)]
    facts = _facts(found) | {"trace": json.loads(found.trace), "postings": postings}
    show(as_json, facts, lambda: _in_words(facts))


@calls.command()
@click.option("--profile", help="A SIP Profile's usage.")
@click.option("--manager", help="A whole Manager's.")
@click.option("--deleted", is_flag=True, help="With --manager: of its deleted SIP Profiles only.")
@click.option("--month", help="As 2026-11; without it: the present one.")
@click.option("--direction", default="", help="outgoing or incoming")
@json_option
def usage(profile: str | None, manager: str | None, month: str | None, direction: str, *, deleted: bool, as_json: bool) -> None:
    """What the calls of a month were and cost, day by day in the Manager's time zone."""
    from trunkline.store.queries import manager_named, profile_named
    from trunkline.store.usage import Filters, Scope, usage_of_month

    if (profile is None) == (manager is None) or (deleted and manager is None):
        raise click.UsageError("Say whose usage: --profile NAME, or --manager NAME (with --deleted, if you like).")
    if profile is not None:
        found = profile_named(profile)
        owner, scope = found.manager, Scope(found.manager_id, found.pk)
    else:
        owner = manager_named(manager or "")
        scope = Scope(owner.pk, deleted_only=deleted)
    usage = usage_of_month(scope, _month(month, owner.time_zone), Filters(direction=direction))
    rows = [_sums(str(day.day), day.outgoing + day.incoming) for day in usage.days if (day.outgoing + day.incoming).attempts]
    rows.append(_sums("total", usage.total))
    show(as_json, rows, lambda: table(tuple(rows[0]), [list(row.values()) for row in rows]))


def _month(text: str | None, zone: str) -> Month:
    from trunkline.domain.statements import parse_month
    from trunkline.store import clock

    if text is not None:
        return Month(parse_month(text), ZoneInfo(zone))
    return Month.of(int(clock.now().timestamp()) * MICROSECONDS, ZoneInfo(zone))


def _sums(name: str, totals: Totals) -> dict[str, Any]:
    return {"day": name} | asdict(totals) | {"cost": decimal_text(totals.cost_micros)}


def _in_words(facts: dict[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if name not in ("trace", "postings") and value not in ("", None):
            yield f"{name.replace('_', ' '):20} {value}"
    yield from ("", "How it was decided")
    for step, what in facts["trace"].get("steps", []):
        yield f"  {step.replace('_', ' '):14} {what}"
    if sip := {name: value for name, value in facts["trace"].get("sip", {}).items() if value not in ("", 0, [], None)}:
        yield from ("", "What else", *(f"  {name.replace('_', ' '):14} {value}" for name, value in sip.items()))
    if facts["postings"]:
        yield from (
            "",
            "What was paid",
            *(f"  {each['at']}  {each['amount']:>10}  {each['from']} → {each['to']}" for each in facts["postings"]),
        )


def _facts(record: Any) -> dict[str, Any]:
    rate = record.rate_per_minute_micros
    return {
        "call": str(record.call_ref),
        "started": _moment(record.started_us),
        "direction": record.direction,
        "profile": record.profile.name if record.profile else "",
        "peer_profile": record.peer_profile.name if record.peer_profile else "",
        "caller": record.caller,
        "caller_shown": record.caller_shown,
        "dialled": record.dialled,
        "number": f"+{record.callee}" if record.callee else record.dialled,
        "country": record.country,
        "destination": record.destination,
        "prefix": record.prefix,
        "carrier": record.carrier.name if record.carrier else "",
        "ringing": _moment(record.ringing_us),
        "answered": _moment(record.answered_us),
        "ended": _moment(record.ended_us),
        "result": record.result,
        "sip_status": record.sip_status or None,
        "q850_cause": record.q850_cause,
        "refusal": _refusal(record.refusal),
        "ended_by": record.ended_by,
        "duration_seconds": record.duration_seconds,
        "billed_seconds": record.billed_seconds,
        "bundle_seconds": record.bundle_seconds,
        "increments": None
        if record.first_increment_seconds is None
        else f"{record.first_increment_seconds}/{record.next_increment_seconds}",
        "rate_per_minute": None if rate is None else decimal_text(rate),
        "connection_fee": None if rate is None else decimal_text(record.connection_fee_micros),
        "cost": decimal_text(record.cost_micros),
        "currency": record.currency,
        "paid_by": record.paid_by,
        "sip_call_id": record.sip_call_id,
        "source": record.source,
        "user_agent": record.user_agent,
    }


def _live_facts(call: Any) -> dict[str, Any]:
    return {
        "call": str(call.call_ref),
        "state": call.state,
        "direction": call.direction,
        "caller": call.caller_profile.name if call.caller_profile else "",
        "callee": call.callee_profile.name if call.callee_profile else "",
        "since": _moment(call.answered_us or call.admitted_us),
        "paid": decimal_text(call.paid),
        "held": decimal_text(call.held),
        "minutes": f"{call.minutes_paid_seconds} s (+ {call.minutes_held_seconds} s held)" if call.minutes_id else "",
        "paid_until": _moment(call.paid_until_us),
    }


def _posting(posting: Any) -> dict[str, Any]:
    return {
        "key": posting.key,
        "at": _moment(posting.posted_us),
        "amount": f"{posting.amount} s" if posting.debit.currency == "SEC" else decimal_text(posting.amount),
        "from": posting.debit.name,
        "to": posting.credit.name,
        "kind": posting.kind,
    }


def _refusal(name: str) -> str:
    from trunkline.domain.refusals import REFUSALS

    return f"{REFUSALS[name].code} {name}" if name in REFUSALS else name


def _moment(us: int | None) -> str:
    return "" if us is None else datetime.fromtimestamp(us // MICROSECONDS, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


COMMANDS = (calls,)
