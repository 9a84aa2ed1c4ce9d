"""`./trunkline payments ...`: what came in through a payment provider, what went back, and what the operator must look at."""

from __future__ import annotations

import uuid
from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text, for_people

NEWEST = 50


@click.group(cls=StoreGroup)
def payments() -> None:
    """Payments. Amounts like 12.34, in the payment's currency. PAYMENT is a number from `payments list`."""


@payments.command("list")
@click.argument("manager", required=False)
@json_option
def list_newest(manager: str | None, *, as_json: bool) -> None:
    """The newest payments, of all or of MANAGER."""
    from trunkline.store.models import Payment
    from trunkline.store.queries import manager_named

    found = Payment.objects.select_related("manager", "method").order_by("-pk")
    if manager is not None:
        found = found.filter(manager=manager_named(manager))
    rows = [_facts(each) for each in found[:NEWEST]]
    columns = ("id", "company", "provider", "amount", "currency", "state", "refunded", "disputed", "created_at")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@payments.command("show")
@click.argument("payment", type=int)
@json_option
def show_one(payment: int, *, as_json: bool) -> None:
    """Everything about one payment: how it stands, its refunds and disputes."""
    from trunkline.usecases.refunds import find_payment

    facts = _facts(find_payment(payment), whole=True)
    show(as_json, facts, lambda: [f"{name.replace('_', ' '):20} {value}" for name, value in facts.items()])


@payments.command()
@click.argument("payment", type=int)
@click.argument("amount", type=AMOUNT)
@click.option("--reason", required=True, help="Kept in the audit log.")
@click.option("--reference", default=lambda: uuid.uuid4().hex, help="Repeating the command with the same reference does nothing.")
@json_option
def refund(payment: int, amount: int, *, reason: str, reference: str, as_json: bool) -> None:
    """Give AMOUNT of PAYMENT back to the payer; never more than the Manager's Credit has free."""
    from trunkline.providers.payments.chosen import payment_provider
    from trunkline.usecases.purchase_limits import BOOKED
    from trunkline.usecases.refunds import find_payment, refund as give_back

    found = find_payment(payment)
    provider = None if found.provider == BOOKED else payment_provider()
    made = give_back(**acting(), payment_id=payment, amount_micros=amount, reference=reference, reason=reason, provider=provider)
    repeated = " It was asked for before: nothing happened this time." if made.repeated else ""
    show(
        as_json, made, lambda: [f"Refund {made.refund_id} of {for_people(amount, found.currency)} is {made.state}.{repeated}", made.failure]
    )


@payments.command()
@click.argument("manager")
@json_option
def methods(manager: str, *, as_json: bool) -> None:
    """The payment methods that are stored for MANAGER."""
    from trunkline.store.models import PaymentMethod
    from trunkline.store.queries import manager_named

    found = PaymentMethod.objects.filter(manager=manager_named(manager), removed_at=None).order_by("pk")
    columns = ("id", "provider", "label", "expires_on", "is_default")
    rows = [dict(zip(columns, (each.pk, each.provider, each.label, each.expires_on, each.is_default), strict=True)) for each in found]
    show(as_json, rows, lambda: table(columns, [list(row.values()) for row in rows]))


@payments.command()
@json_option
def waiting(*, as_json: bool) -> None:
    """What a provider told that does not fit, and refunds without an answer: look at them at the provider."""
    from trunkline.store.models import ProviderEvent, Refund

    events = ProviderEvent.objects.filter(applied_at=None).order_by("pk")
    refunds = Refund.objects.filter(state=Refund.State.PENDING).order_by("pk")
    rows = [("event", each.pk, each.kind, each.outcome, each.received_at.isoformat()) for each in events]
    rows += [("refund", each.pk, decimal_text(each.amount_micros), each.reference, each.created_at.isoformat()) for each in refunds]
    columns = ("what", "id", "about", "why", "since")
    show(as_json, [dict(zip(columns, row, strict=True)) for row in rows], lambda: table(columns, rows))


@payments.command()
@click.argument("event", type=int)
@click.option("--reason", required=True, help="What was found.")
def dismiss(event: int, *, reason: str) -> None:
    """EVENT, from `payments waiting`, was looked at: it waits no longer."""
    from trunkline.usecases.payment_events import dismiss_event

    dismiss_event(**acting(), event_id=event, reason=reason)
    click.echo(f"Event {event} is dismissed.")


@payments.command()
@click.argument("currency")
@click.argument("kind", type=click.Choice(["card", "booked"]))
@click.option("--verified/--unverified", required=True, help="Of which companies.")
@click.option("--each", type=AMOUNT, help="Of one payment; not given: no limit.")
@click.option("--month", type=AMOUNT, help="Of any 30 days; not given: no limit.")
def limit(currency: str, kind: str, *, verified: bool, each: int | None, month: int | None) -> None:
    """Set how much companies may pay in CURRENCY by card, or by booking."""
    from trunkline.domain.payments import Limits, Means
    from trunkline.usecases.purchase_limits import set_limits

    set_limits(**acting(), currency=currency, means=Means(kind), verified=verified, limits=Limits(each, month))
    click.echo(f"The limits for {kind} in {currency} are set.")


def _facts(each: Any, *, whole: bool = False) -> dict[str, Any]:
    facts = {
        "id": each.pk,
        "company": each.manager.company_name,
        "provider": each.provider,
        "amount": decimal_text(each.amount_micros),
        "currency": each.currency,
        "state": each.state,
        "refunded": decimal_text(each.refunded_micros),
        "disputed": decimal_text(each.disputed_micros),
        "created_at": each.created_at.isoformat(),
    }
    if whole:
        facts |= {name: getattr(each, name) for name in ("reference", "provider_reference", "why", "failure", "action_url")}
        facts["method"] = each.method.label if each.method else ""
        facts["refunds"] = [f"{decimal_text(made.amount_micros)} {made.state} ({made.reason})" for made in each.refunds.order_by("pk")]
        facts["disputes"] = [f"{decimal_text(made.amount_micros)} {made.state} ({made.reason})" for made in each.disputes.order_by("pk")]
    return facts


COMMANDS = (payments,)
