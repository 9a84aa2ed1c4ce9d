"""Webhooks: where events are sent, what was sent, and sending it again."""

from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from django.db.models import QuerySet
from ninja import Router, Schema, Status
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting
from trunkline.api.failures import Forbidden
from trunkline.api.shapes import Cursor, Done, Input, Limit, Moment, PathId, answers, iso, iso_or_none, listed
from trunkline.store.models import WebhookDelivery, WebhookEndpoint
from trunkline.usecases import webhook_endpoints
from trunkline.usecases.webhook_endpoints import KINDS, Kind
from trunkline.web.access import Audience

router = Router(tags=["Webhooks"])
Url = Annotated[str, Field(min_length=8, max_length=500, examples=["https://erp.example.com/trunkline"])]
Events = Annotated[list[Kind], Field(min_length=1, max_length=len(KINDS))]


class WebhookIn(Input):
    url: Url
    events: Events


class WebhookChangeIn(Input):
    """What is left away stays. Enabling forgets the failures."""

    url: Url | None = None
    events: Events | None = None
    enabled: bool | None = None


class WebhookOut(Schema):
    id: int
    url: str
    events: list[str]
    enabled: bool
    disabled_why: str
    failing_since: Moment | None
    created_at: Moment


class WebhookMadeOut(Schema):
    """`secret` is told once: deliveries are signed with it."""

    webhook: WebhookOut
    secret: str


class WebhooksOut(Schema):
    items: list[WebhookOut]


class DeliveryOut(Schema):
    """`payload`: as it was sent."""

    id: int
    event: str
    kind: str
    payload: str
    created_at: Moment
    tries: int
    status: int
    failure: str
    delivered_at: Moment | None
    given_up_at: Moment | None
    next_try_at: Moment | None


class DeliveriesOut(Schema):
    items: list[DeliveryOut]
    next_cursor: str | None


@router.get("/webhooks", auth=Right(Audience.ADMINISTER), response=answers(WebhooksOut), summary="List webhooks")
def list_webhooks(request: ApiRequest) -> dict[str, Any]:
    mine = WebhookEndpoint.objects.filter(manager=request.company, deleted_at=None).order_by("pk")
    return {"items": [_shown(each) for each in mine]}


@router.post("/webhooks", auth=Right(Audience.ADMINISTER), response=answers(WebhookMadeOut, 201), summary="Create a webhook")
def create_webhook(request: ApiRequest, wanted: WebhookIn) -> Status[Any]:
    """What happens from now on is sent there. `call.ended` needs a token that may see call details."""
    _check_calls(request, wanted.events)
    made = webhook_endpoints.create_endpoint(
        **acting(request), manager_id=request.company.pk, url=wanted.url, events=wanted.events, is_test=settings.INSTANCE.test_clock
    )
    endpoint = webhook_endpoints.endpoint_of(request.company.pk, made.endpoint_id)
    return Status(201, {"webhook": _shown(endpoint), "secret": made.secret})


@router.patch("/webhooks/{webhook_id}", auth=Right(Audience.ADMINISTER), response=answers(WebhookOut), summary="Change a webhook")
def change_webhook(request: ApiRequest, webhook_id: PathId, wanted: WebhookChangeIn) -> dict[str, Any]:
    before = webhook_endpoints.endpoint_of(request.company.pk, webhook_id)
    _check_calls(request, [*before.events, *(wanted.events or [])])
    whose: dict[str, Any] = {"manager_id": request.company.pk, "endpoint_id": webhook_id}
    webhook_endpoints.change_endpoint(**acting(request), **whose, **wanted.dict(), is_test=settings.INSTANCE.test_clock)
    return _shown(webhook_endpoints.endpoint_of(request.company.pk, webhook_id))


@router.post(
    "/webhooks/{webhook_id}/secret", auth=Right(Audience.ADMINISTER), response=answers(WebhookMadeOut), summary="Replace its secret"
)
def rotate_secret(request: ApiRequest, webhook_id: PathId) -> dict[str, Any]:
    """For 24 hours deliveries are signed with the new one and with the one before."""
    made = webhook_endpoints.rotate_secret(**acting(request), manager_id=request.company.pk, endpoint_id=webhook_id)
    return {"webhook": _shown(webhook_endpoints.endpoint_of(request.company.pk, webhook_id)), "secret": made.secret}


@router.post("/webhooks/{webhook_id}/test", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Send a test event there")
def send_test(request: ApiRequest, webhook_id: PathId) -> dict[str, Any]:
    """Its `type` is `test`. Within seconds it is among the deliveries, with what was answered."""
    webhook_endpoints.send_test(**acting(request), manager_id=request.company.pk, endpoint_id=webhook_id)
    return {"done": True}


@router.delete("/webhooks/{webhook_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Delete a webhook")
def delete_webhook(request: ApiRequest, webhook_id: PathId) -> dict[str, Any]:
    webhook_endpoints.delete_endpoint(**acting(request), manager_id=request.company.pk, endpoint_id=webhook_id)
    return {"done": True}


@router.get(
    "/webhooks/{webhook_id}/deliveries", auth=Right(Audience.ADMINISTER), response=answers(DeliveriesOut), summary="What was sent there"
)
def list_deliveries(request: ApiRequest, webhook_id: PathId, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """Kept for 30 days."""
    endpoint = webhook_endpoints.endpoint_of(request.company.pk, webhook_id)
    _check_calls(request, endpoint.events)
    sent: QuerySet[WebhookDelivery] = WebhookDelivery.objects.filter(endpoint=endpoint)
    return listed(sent, _delivery, cursor, limit)


@router.post(
    "/webhooks/deliveries/{delivery_id}/replay", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Send an event again"
)
def replay(request: ApiRequest, delivery_id: PathId) -> dict[str, Any]:
    webhook_endpoints.replay(**acting(request), manager_id=request.company.pk, delivery_id=delivery_id)
    return {"done": True}


def _check_calls(request: ApiRequest, events: list[Any]) -> None:
    if "call.ended" in events and not request.token.call_details:
        raise Forbidden("call.ended says who called whom: use a token that may see call details.")


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "events": endpoint.events,
        "enabled": endpoint.disabled_at is None,
        "disabled_why": endpoint.disabled_why,
        "failing_since": iso_or_none(endpoint.failing_since),
        "created_at": iso(endpoint.created_at),
    }


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    open_ = delivery.delivered_at is None and delivery.given_up_at is None
    return {
        "id": delivery.pk,
        "event": delivery.event,
        "kind": delivery.kind,
        "payload": delivery.payload,
        "created_at": iso(delivery.created_at),
        "tries": delivery.tries,
        "status": delivery.status,
        "failure": delivery.failure,
        "delivered_at": iso_or_none(delivery.delivered_at),
        "given_up_at": iso_or_none(delivery.given_up_at),
        "next_try_at": iso(delivery.next_try_at) if open_ else None,
    }
