"""Events on their way to companies' webhooks: noted, sent, tried again, given up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import QuerySet

from trunkline.domain import patience
from trunkline.domain.money import decimal_text
from trunkline.providers.webhooks import SIGNATURE, Told, post, signature
from trunkline.store import happenings, sealing
from trunkline.store.happenings import Happening
from trunkline.store.models import CallRecord, WebhookDelivery, WebhookEndpoint, WebhookPosition
from trunkline.store.work import By, work

WAITS = (*(timedelta(minutes=minutes) for minutes in (1, 5, 30)), *(timedelta(hours=hours) for hours in (2, 6, 12, 24)))
DISABLED_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
AT_ONCE = 20
SENDING = timedelta(minutes=2)
"""Longer than a delivery takes: who sends has died, another may try."""
PRUNED_AT_ONCE = 1_000

log = structlog.get_logger()
Post = Callable[..., Told]


@dataclass(frozen=True, slots=True)
class Sent:
    sent: int
    failed: int


def note_events(*, now: datetime, engines_now: datetime) -> int:
    """What has happened since the last look becomes deliveries. Returns how many are new."""
    endpoints = list(WebhookEndpoint.objects.filter(disabled_at=None, deleted_at=None))
    wanted = {kind: {each.manager_id for each in endpoints if kind in each.events} for each in endpoints for kind in each.events}
    found = [delivery for each in _happened(wanted, now, engines_now) for delivery in _deliveries(each, endpoints, now)]
    fresh = _unknown(found)
    if fresh:
        WebhookDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def next_due(now: datetime) -> datetime | None:
    return _waiting().filter(next_try_at__lte=now).order_by("next_try_at").values_list("next_try_at", flat=True).first()


def send_due(*, now: datetime, engines_now: datetime, by: By, limit: int, is_test: bool, send: Post = post) -> Sent:
    """Oldest first, several at once: one that does not answer keeps no other waiting. May arrive twice, with one id. Signed with the real time: the
    receiver, whose clock nobody puts forward, refuses what is old."""
    due = _waiting().select_related("endpoint").filter(next_try_at__lte=now).order_by("next_try_at", "pk")[: min(limit, AT_ONCE)]
    mine = [each for each in due if _claim(each, now)]
    if not mine:
        return Sent(0, 0)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
        told = list(
            threads.map(
                lambda args: send(args[0], args[1], headers=args[2], is_test=is_test), [_letter(each, now, engines_now) for each in mine]
            )
        )
    for delivery, answer in zip(mine, told, strict=True):
        _note(delivery, answer, now, by)
    failed = sum(1 for answer in told if answer.failure)
    return Sent(len(told) - failed, failed)


def prune(now: datetime) -> int:
    """What is old enough that no event of it is read again (`store.happenings`)."""
    old = list(
        WebhookDelivery.objects.filter(created_at__lt=now - KEPT).order_by("created_at").values_list("pk", flat=True)[:PRUNED_AT_ONCE]
    )
    return WebhookDelivery.objects.filter(pk__in=old).delete()[0] if old else 0


def _happened(wanted: dict[str, set[int]], now: datetime, engines_now: datetime) -> Iterator[Happening]:
    """Nobody's events are not read: whoever wants them later hears of what happens then."""
    from_log: set[int] = set().union(*(wanted.get(kind, set()) for kind in wanted if kind.startswith(("payment.", "term."))))
    if from_log:
        yield from happenings.logged(from_log, now)
    else:
        _stop_reading("audit")
    if callers := wanted.get("call.ended"):
        yield from (_call_ended(manager_id, record) for manager_id, record in happenings.calls_ended(callers))
    else:
        _stop_reading("calls")
    yield from happenings.low_balances(wanted.get("balance.low", set()))
    yield from happenings.conflicts(wanted.get("registration.conflict", set()), now, engines_now)


def _stop_reading(name: str) -> None:
    if WebhookPosition.objects.filter(name=name).exists():
        WebhookPosition.objects.filter(name=name).delete()


def _call_ended(manager_id: int, record: CallRecord) -> Happening:
    """The called side of a call between two profiles sees what it was shown, and no cost."""
    own = record.manager_id == manager_id
    shown_caller = record.caller_shown if record.direction == "incoming" or not own else record.caller
    data: dict[str, Any] = {
        "call_id": str(record.call_ref),
        "profile_id": record.profile_id if own else record.peer_profile_id,
        "direction": record.direction if own else "incoming",
        "caller": shown_caller,
        "number": record.callee,
        "destination": record.destination,
        "started_at": _iso(happenings.moment(record.started_us)),
        "duration_seconds": record.duration_seconds,
        "result": record.result,
        "refusal": record.refusal,
    }
    if own:
        data |= {"cost": {"amount": decimal_text(record.cost_micros), "currency": record.currency}, "paid_by": record.paid_by}
    return Happening(manager_id, "call.ended", f"call/{record.call_ref}", happenings.moment(record.ended_us), data)


def _deliveries(happened: Happening, endpoints: list[WebhookEndpoint], now: datetime) -> Iterator[WebhookDelivery]:
    for endpoint in endpoints:
        is_new = happened.at >= endpoint.created_at or happened.kind == "call.ended"
        if endpoint.manager_id == happened.manager_id and happened.kind in endpoint.events and is_new:
            yield new_delivery(endpoint, happened, now)


def new_delivery(endpoint: WebhookEndpoint, happened: Happening, now: datetime) -> WebhookDelivery:
    """As it will be sent; the caller saves it."""
    about = {"id": happened.name, "type": happened.kind, "at": _iso(happened.at), "data": happened.data}
    payload = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    named = {"event": happened.name, "kind": happened.kind, "payload": payload}
    return WebhookDelivery(endpoint=endpoint, **named, created_at=now, next_try_at=now)


def _postpone_others(delivery: WebhookDelivery, now: datetime) -> None:
    """Nobody answers there: a minute's rest for the endpoint. The clock has more to do than to wait for it."""
    others = _waiting().filter(endpoint=delivery.endpoint_id, next_try_at__lte=now).exclude(pk=delivery.pk)
    others.update(next_try_at=now + WAITS[0])


def _unknown(found: list[WebhookDelivery]) -> list[WebhookDelivery]:
    """Asked first: every other look finds nothing new, and need not wait for the store's one writer."""
    if not found:
        return []
    about = WebhookDelivery.objects.filter(endpoint__in={each.endpoint_id for each in found}, event__in={each.event for each in found})
    known = set(about.values_list("endpoint_id", "event"))
    return [each for each in found if (each.endpoint_id, each.event) not in known]


def _claim(delivery: WebhookDelivery, now: datetime) -> bool:
    mine = _waiting().filter(pk=delivery.pk, tries=delivery.tries, next_try_at=delivery.next_try_at)
    return mine.update(tries=delivery.tries + 1, next_try_at=now + SENDING) == 1


def _letter(delivery: WebhookDelivery, now: datetime, engines_now: datetime) -> tuple[str, bytes, dict[str, str]]:
    body = delivery.payload.encode()
    signed = signature(_secrets(delivery.endpoint, now), int(engines_now.timestamp()), body)
    return delivery.endpoint.url, body, {SIGNATURE: signed, "Trunkline-Event": delivery.kind, "User-Agent": "Trunkline-Webhooks/1"}


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The former one last: a receiver that keeps only the last of several still knows it."""
    overlaps = endpoint.former_secret_until is not None and now < endpoint.former_secret_until
    sealed = [endpoint.secret_sealed, *([endpoint.former_secret_sealed] if overlaps else [])]
    return [sealing.unseal(each) for each in sealed]


def _note(delivery: WebhookDelivery, answer: Told, now: datetime, by: By) -> None:
    delivery.tries += 1
    delivery.status, delivery.failure = answer.status, answer.failure[:200]
    if answer.failure:
        again_at = patience.next_try(now, delivery.tries, WAITS)
        delivery.next_try_at, delivery.given_up_at = again_at or now, None if again_at else now
        _note_failure(delivery.endpoint_id, answer, now, by)
        if not answer.status:
            _postpone_others(delivery, now)
    else:
        delivery.delivered_at = now
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since__isnull=False).update(failing_since=None)
    delivery.save(update_fields=["tries", "status", "failure", "next_try_at", "delivered_at", "given_up_at"])


def _note_failure(endpoint_id: int, answer: Told, now: datetime, by: By) -> None:
    """An endpoint that has taken nothing for days is disabled; its company sees that in the Manager, in the history and in the API."""
    open_ = WebhookEndpoint.objects.filter(pk=endpoint_id, disabled_at=None)
    open_.filter(failing_since=None).update(failing_since=now)
    if not open_.filter(failing_since__lte=now - DISABLED_AFTER).exists():
        return
    with work(now=now, by=by) as doing:
        endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
        if open_.update(disabled_at=now, disabled_why=f"It took nothing for {DISABLED_AFTER.days} days. {answer.failure}"[:200]):
            doing.audit("webhook.disable", f"webhook {endpoint_id}", manager_id=endpoint.manager_id, after={"why": answer.failure})
    log.warning("a webhook was disabled", webhook=endpoint_id, failure=answer.failure)


def _waiting() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(delivered_at=None, given_up_at=None, endpoint__disabled_at=None)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
