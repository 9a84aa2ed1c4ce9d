"""What has happened in companies that have webhooks, read from what others wrote; each event once by its name.

- The audit log by position. Rows commit out of the order of their ids: the newest are read again, and an event that is known is no news.
- Calls by position and by what was in progress: references ascend in the order of their commits, records come in any order.
- States that stay until they end (a low balance, a take-over) by looking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from trunkline.domain.money import decimal_text
from trunkline.store.models import AuditEntry, CallRecord, LiveCall, Manager, Registration, WebhookPosition

AT_ONCE = 500
READ_AGAIN = 200
MICROSECONDS = 1_000_000
CONFLICTS_OF = timedelta(days=1)
NEVER_OLDER_THAN = timedelta(days=7)
ENDINGS = {"renew": "term.renewed", "lapsed": "term.lapsed"}


@dataclass(frozen=True, slots=True)
class Happening:
    """`name` is unique in the company; `profile_id` is said by `data` too."""

    manager_id: int
    kind: str
    name: str
    at: datetime
    data: dict[str, Any]


def logged(manager_ids: set[int], now: datetime) -> Iterator[Happening]:
    """Payments and terms. From when the first webhook was made."""
    newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    place, new = WebhookPosition.objects.get_or_create(name="audit", defaults={"position": newest})
    if new:
        return
    after = max(place.position - READ_AGAIN, 0)
    last = min(newest, place.position + AT_ONCE)
    known = AuditEntry.objects.filter(pk__gt=after, pk__lte=last, manager_id__in=manager_ids, at__gt=now - NEVER_OLDER_THAN)
    for entry in known.order_by("pk"):
        if kind := _kind(entry.action):
            assert entry.manager_id is not None, "chosen by it"
            data = {"what": entry.target, **_in_decimals(entry.after)}
            yield Happening(entry.manager_id, kind, f"audit/{entry.pk}", entry.at, data)
    _move(place, last)


def calls_ended(manager_ids: set[int]) -> Iterator[tuple[int, CallRecord]]:
    """The record, and each company that it belongs to. What is in progress is looked at after the end of the stretch is known: whatever is below
    it is either there, or has its record."""
    newest = max(_newest(CallRecord), _newest(LiveCall))
    place, new = WebhookPosition.objects.get_or_create(name="calls", defaults={"position": newest, "pending": _live(newest)})
    if new:
        return
    beyond = CallRecord.objects.filter(pk__gt=place.position).order_by("pk").values_list("pk", flat=True)[AT_ONCE : AT_ONCE + 1]
    last = min(newest, *beyond) if beyond else newest
    live = _live(last)
    ended = sorted(set(place.pending) - set(live))
    stretch = Q(pk__gt=place.position, pk__lte=last) | Q(pk__in=ended)
    known = CallRecord.objects.select_related("profile", "peer_profile").filter(stretch)
    for record in known.order_by("pk"):
        peer_id = record.peer_profile.manager_id if record.peer_profile else None
        for manager_id in {record.manager_id, peer_id} & manager_ids:
            assert manager_id is not None, "chosen by it"
            yield manager_id, record
    _move(place, last, live)


def low_balances(manager_ids: set[int]) -> Iterator[Happening]:
    low = Manager.objects.select_related("account").filter(pk__in=manager_ids, low_balance_since__isnull=False)
    for manager in low:
        since, account = manager.low_balance_since, manager.account
        assert since is not None, "chosen by it"
        data = {"balance": _money(account.balance, account.currency), "limit": _money(manager.low_balance_micros or 0, account.currency)}
        yield Happening(manager.pk, "balance.low", f"balance_low/{since.timestamp():.0f}", since, data)


def conflicts(manager_ids: set[int], now: datetime, engines_now: datetime) -> Iterator[Happening]:
    """Two devices with the credentials of one profile (SPEC R2.5). Registrations keep the real time; what is told is the instance's."""
    since_us = int((engines_now - CONFLICTS_OF).timestamp()) * MICROSECONDS
    found = Registration.objects.select_related("profile").filter(profile__manager_id__in=manager_ids, displaced_us__gt=since_us)
    for each in found:
        assert each.displaced_us is not None, "chosen by it"
        data = {
            "profile_id": each.profile_id,
            "profile": each.profile.name,
            "device": {"contact": each.contact, "source": each.source, "user_agent": each.user_agent},
            "displaced": each.displaced_contact,
        }
        name = f"registration/{each.profile_id}/{each.displaced_us}"
        yield Happening(each.profile.manager_id, "registration.conflict", name, moment(each.displaced_us) + (now - engines_now), data)


def moment(at_us: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=at_us)


def _kind(action: str) -> str:
    what, _, how = action.partition(".")
    if what in ("channels", "bundle", "number"):
        return ENDINGS.get(how, "")
    return action if what == "payment" and how in ("succeeded", "failed", "action_needed") else ""


def _in_decimals(after: dict[str, Any]) -> dict[str, Any]:
    """`amount_micros` becomes `amount`, a decimal text, as everywhere in the API."""
    return {
        name.removesuffix("_micros"): decimal_text(value) if name.endswith("_micros") and isinstance(value, int) else value
        for name, value in after.items()
    }


def _money(micros: int, currency: str) -> dict[str, str]:
    return {"amount": decimal_text(micros), "currency": currency}


def _move(place: WebhookPosition, position: int, pending: list[int] | None = None) -> None:
    """Written only when it is another: it is looked at every other second."""
    pending = pending or []
    if (place.position, place.pending) != (position, pending):
        place.position, place.pending = position, pending
        place.save(update_fields=["position", "pending"])


def _live(up_to: int) -> list[int]:
    return list(LiveCall.objects.filter(pk__lte=up_to).order_by("pk").values_list("pk", flat=True))


def _newest(model: type[CallRecord | LiveCall]) -> int:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0  # noqa: SLF001 - Django documents it
