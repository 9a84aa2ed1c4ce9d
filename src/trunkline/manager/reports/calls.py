"""Calls as a table: what a usage report shows of each, on the page and in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from zoneinfo import ZoneInfo

from django.urls import reverse

from trunkline.domain.money import for_people
from trunkline.domain.refusals import REFUSALS
from trunkline.manager.reports.sheet import MICROSECONDS, Cell, Column, Row, duration_text, moment_cell, money_cell, seconds_cell
from trunkline.manager.reports.subject import Subject, route_of_profile
from trunkline.store.models import Manager, Profile
from trunkline.store.usage import Line, Totals
from trunkline.web.templatetags.components import phone

RESULTS = {
    "answered": "Answered",
    "busy": "Busy",
    "no_answer": "No answer",
    "cancelled": "Hung up before answer",
    "failed": "Failed",
    "refused": "Refused",
    "lost": "End not known",
}
PAYERS = {
    "profile": "Profile's Credit",
    "manager": "Manager's Credit",
    "bundle": "Minute bundle (zero-rated)",
    "both": "Minute bundle, then Manager's Credit",
}
SEEN_BY_CALLEE = ("channels_full_incoming", "not_reachable", "unknown_number")
"""Refusals that are about the called side. Why else a call did not come is the caller's business."""


def columns_of(subject: Subject, currency: str, *, incoming: bool) -> tuple[Column, ...]:
    whose = () if subject.profile else (Column("Profile", width=16),)
    time, called = Column("Time", width=20, is_whole=True), Column("Number called", width=18, is_whole=True)
    duration = Column("Duration", is_number=True, unit="seconds", width=10)
    if incoming:
        return (time, *whose, Column("Caller", width=18, is_whole=True), called, duration, Column("Result", width=26))
    paid = Column("How paid", width=26), Column("Cost", is_number=True, unit=currency, width=12)
    return (time, *whose, called, Column("Destination", width=24), duration, Column("Result", width=22), *paid)


def rows_of(lines: Iterable[Line], subject: Subject, company: Manager, *, incoming: bool) -> Iterator[Row]:
    """In the order of `columns_of`. One query for the names of profiles."""
    zone = ZoneInfo(company.time_zone)
    profile_of = cache(partial(_profile, {} if subject.profile else _names(company), incoming=incoming))
    for line in lines:
        at = datetime.fromtimestamp(line.started_us // MICROSECONDS, tz=UTC).astimezone(zone)
        time = moment_cell(at, reverse("reports_call", args=[line.call_ref]))
        whose = () if subject.profile else (profile_of(line.profile_id, month=f"{at:%Y-%m}"),)
        talked = seconds_cell(line.duration_seconds)
        if incoming:
            yield (time, *whose, _number(line.caller, "Withheld"), _called(line), talked, _result(line.result, _told(line)))
            continue
        cost = money_cell(line.cost_micros, company.currency)
        result = _result(line.result, line.refusal)
        where = Cell(destination_text(line.destination, line.callee, company))
        yield (time, *whose, _called(line), where, talked, result, Cell(paid_text(line.paid_by, line.result)), cost)


def _names(company: Manager) -> dict[int, tuple[str, str]]:
    """And states."""
    return {pk: (name, state) for pk, name, state in Profile.objects.filter(manager=company).values_list("id", "name", "state")}


def _profile(names: dict[int, tuple[str, str]], profile_id: int, *, month: str, incoming: bool) -> Cell:
    """It leads to the profile's own report of the month."""
    name, state = names.get(profile_id, ("", ""))
    route = route_of_profile(archived=state == Profile.State.DELETED)
    return Cell(name, href=f"{reverse(f'{route}_incoming' if incoming else route, args=[profile_id])}?month={month}" if name else "")


def _result(result: str, refusal: str) -> Cell:
    """A refusal leads to what it means."""
    known = REFUSALS.get(refusal)
    return Cell(result_text(result, refusal), href=reverse("help_refusal", args=[known.code]) if known else "")


def result_text(result: str, refusal: str) -> str:
    text = RESULTS.get(result, result)
    known = REFUSALS.get(refusal)
    return f"{text}: {known.text}" if known else text


def paid_text(paid_by: str, result: str) -> str:
    """An answered call that nobody paid was free; one that was not answered costs nothing."""
    return PAYERS.get(paid_by, "Free" if result == "answered" else "–")


def totals_of(totals: Totals, currency: str, *, incoming: bool) -> tuple[tuple[str, str], ...]:
    counted = ("Calls", f"{totals.attempts:,}"), ("Answered", f"{totals.answered:,}"), ("Talk time", duration_text(totals.duration_seconds))
    if incoming:
        return counted
    return (*counted, ("From minute bundles", duration_text(totals.bundle_seconds)), ("Cost", for_people(totals.cost_micros, currency)))


def destination_text(destination: str, callee: str, company: Manager) -> str:
    """The echo test is in no price list's destinations."""
    return "Echo test" if not destination and callee and callee == company.price_list.echo_number else destination


def _told(line: Line) -> str:
    return line.refusal if line.refusal in SEEN_BY_CALLEE else ""


def _called(line: Line) -> Cell:
    """What was dialled, when it is no number."""
    return _number(line.callee, line.dialled)


def _number(digits: str, otherwise: str) -> Cell:
    """E.164 digits in files: with a + in front a spreadsheet would not take them as they are."""
    return Cell(phone(digits), digits) if digits.isascii() and digits.isdecimal() else Cell(digits or otherwise)
