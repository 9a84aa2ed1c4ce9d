"""Where a company wants to be told what happens: set up, changed, taken away, told again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.providers.webhooks import UrlRefused, check_url
from trunkline.store import sealing
from trunkline.store.happenings import Happening
from trunkline.store.models import Manager, WebhookDelivery, WebhookEndpoint
from trunkline.store.work import By, work
from trunkline.usecases.webhooks import new_delivery

Kind = Literal[
    "payment.succeeded",
    "payment.failed",
    "payment.action_needed",
    "balance.low",
    "term.renewed",
    "term.lapsed",
    "call.ended",
    "registration.conflict",
]
KINDS: tuple[str, ...] = get_args(Kind)
TEST = "test"
"""Of an event that nothing has caused: somebody tries whether it arrives. Nobody subscribes to it."""
TESTS_IN_AN_HOUR = 20
MOST_ENDPOINTS = 10
LONGEST_URL = 500
BOTH_SECRETS = timedelta(hours=24)
NewSecret = Callable[[], str]


@dataclass(frozen=True, slots=True)
class EndpointMade:
    """`secret` is what its deliveries are signed with."""

    endpoint_id: int
    secret: str


def create_endpoint(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    url: str,
    events: Sequence[str],
    is_test: bool,
    new_secret: NewSecret = secrets.token_urlsafe,
) -> EndpointMade:
    """What happens from now on is told there."""
    _check(url, events, is_test=is_test)
    secret = f"whsec_{new_secret()}"
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        if WebhookEndpoint.objects.filter(manager_id=manager_id, deleted_at=None).count() >= MOST_ENDPOINTS:
            raise Conflict(f"A company has at most {MOST_ENDPOINTS} webhooks: delete one first.")
        made = WebhookEndpoint.objects.create(
            manager_id=manager_id, url=url, events=sorted(set(events)), secret_sealed=sealing.seal(secret), created_at=now
        )
        doing.audit("webhook.create", f"webhook {made.pk}", manager_id=manager_id, after={"url": url, "events": made.events})
    return EndpointMade(made.pk, secret)


def change_endpoint(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    endpoint_id: int,
    is_test: bool,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> None:
    """None: as it is. Enabling one that was disabled goes on with what was not yet given up."""
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        endpoint = endpoint_of(manager_id, endpoint_id)
        before = _shown(endpoint)
        endpoint.url = endpoint.url if url is None else url
        endpoint.events = endpoint.events if events is None else sorted(set(events))
        _check(endpoint.url, endpoint.events, is_test=is_test)
        if enabled is not None:
            endpoint.disabled_at, endpoint.failing_since = (None if enabled else now), None
            endpoint.disabled_why = "" if enabled else "switched off"
        endpoint.save()
        doing.audit("webhook.change", f"webhook {endpoint_id}", manager_id=manager_id, before=before, after=_shown(endpoint))


def rotate_secret(
    *, now: datetime, by: By, manager_id: int, endpoint_id: int, new_secret: NewSecret = secrets.token_urlsafe
) -> EndpointMade:
    """For a day deliveries are signed with both. Rotating again within it ends the oldest of the three at once."""
    secret = f"whsec_{new_secret()}"
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        endpoint = endpoint_of(manager_id, endpoint_id)
        endpoint.former_secret_sealed, endpoint.former_secret_until = endpoint.secret_sealed, now + BOTH_SECRETS
        endpoint.secret_sealed = sealing.seal(secret)
        endpoint.save(update_fields=["secret_sealed", "former_secret_sealed", "former_secret_until"])
        doing.audit("webhook.rotate", f"webhook {endpoint_id}", manager_id=manager_id)
    return EndpointMade(endpoint_id, secret)


def send_test(*, now: datetime, by: By, manager_id: int, endpoint_id: int, new_name: NewSecret = lambda: secrets.token_hex(8)) -> int:
    """An event of the kind `test`, sent and tried again as any other. Returns the delivery's id."""
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        endpoint = endpoint_of(manager_id, endpoint_id)
        if endpoint.disabled_at is not None:
            raise Conflict("The webhook is disabled: enable it first.")
        if (
            WebhookDelivery.objects.filter(endpoint=endpoint, kind=TEST, created_at__gt=now - timedelta(hours=1)).count()
            >= TESTS_IN_AN_HOUR
        ):
            raise Conflict(f"There were {TESTS_IN_AN_HOUR} tests within an hour: wait a little.")
        test = new_delivery(endpoint, Happening(manager_id, TEST, f"{TEST}/{new_name()}", now, {"sent_by": by.actor}), now)
        test.save()
        doing.audit("webhook.test", f"webhook {endpoint_id}", manager_id=manager_id)
    return test.pk


def delete_endpoint(*, now: datetime, by: By, manager_id: int, endpoint_id: int) -> None:
    """Nothing more is sent; what was told stays to be looked at by the operator until it is pruned."""
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        endpoint = endpoint_of(manager_id, endpoint_id)
        endpoint.deleted_at = endpoint.disabled_at = now
        endpoint.save(update_fields=["deleted_at", "disabled_at"])
        WebhookDelivery.objects.filter(endpoint=endpoint, delivered_at=None, given_up_at=None).update(given_up_at=now)
        doing.audit("webhook.delete", f"webhook {endpoint_id}", manager_id=manager_id, before=_shown(endpoint))


def replay(*, now: datetime, by: By, manager_id: int, delivery_id: int) -> None:
    """The same event with the same id, again; also one that was taken before."""
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        found = delivery_of(manager_id, delivery_id)
        if found.endpoint.disabled_at is not None:
            raise Conflict("The webhook is disabled: enable it first.")
        WebhookDelivery.objects.filter(pk=delivery_id).update(next_try_at=now, tries=0, delivered_at=None, given_up_at=None)
        doing.audit("webhook.replay", found.event, manager_id=manager_id)


def endpoint_of(manager_id: int, endpoint_id: int) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.filter(pk=endpoint_id, manager_id=manager_id, deleted_at=None).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def delivery_of(manager_id: int, delivery_id: int) -> WebhookDelivery:
    """With its webhook, deleted ones too."""
    mine = WebhookDelivery.objects.select_related("endpoint").filter(endpoint__manager_id=manager_id)
    if (found := mine.filter(pk=delivery_id).first()) is None:
        raise NotFound("There is no such delivery: they are kept for 30 days.")
    return found


def _check(url: str, events: Sequence[str], *, is_test: bool) -> None:
    if len(url) > LONGEST_URL:
        raise Invalid("url", f"The URL is too long: at most {LONGEST_URL} characters.")
    try:
        check_url(url, is_test=is_test)
    except UrlRefused as problem:
        raise Invalid("url", str(problem)) from problem
    if not events or (unknown := sorted(set(events) - set(KINDS))):
        wrong = f"{unknown[0][:32]!r} is no event. " if events else ""
        raise Invalid("events", f"{wrong}Choose from {', '.join(KINDS)}.")


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {"url": endpoint.url, "events": endpoint.events, "enabled": endpoint.disabled_at is None}
