"""Credit: allocated to SIP Profiles and taken back, Auto-recharge, and payments."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from ninja import Router, Schema

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import (
    Amount,
    Cursor,
    Done,
    Ident,
    Input,
    Limit,
    Moment,
    Money,
    PathId,
    answers,
    iso,
    iso_or_none,
    listed,
    money,
    the_one,
)
from trunkline.domain.errors import Conflict
from trunkline.domain.money import parse_micros
from trunkline.providers.payments.chosen import payment_provider
from trunkline.store import ledger
from trunkline.store.models import Payment
from trunkline.usecases import credit, payments, recharge_rules
from trunkline.usecases.recharge_rules import RechargeNeedsConfirmation
from trunkline.web.access import Audience
from trunkline.web.company import company_path

router = Router(tags=["Credit"])


class AmountIn(Input):
    amount: Amount


class TakeBackIn(Input):
    """null: all that calls don't hold."""

    amount: Amount | None = None


class MovedOut(Schema):
    """`repeated`: the same Idempotency-Key did it before, nothing happened this time."""

    posting_id: int
    manager_free: Money
    profile_free: Money
    repeated: bool


class RechargeIn(Input):
    """Below the recommended amounts it is saved only when `confirmed`."""

    threshold: Amount
    amount: Amount
    monthly_limit: Amount | None = None
    method_id: Ident | None = None
    confirmed: bool = False


class RechargeOut(Schema):
    enabled: bool
    threshold: Money | None
    amount: Money | None
    monthly_limit: Money | None
    method_id: int | None
    recommended_threshold: Money
    recommended_amount: Money
    last_failure: str


class PaymentIn(Input):
    """Without `method_id` the payer pays on the page `action_url`."""

    amount: Amount
    method_id: Ident | None = None


class PaymentOut(Schema):
    """`state`: created, action_needed (the payer goes to `action_url`), processing, succeeded, failed, cancelled."""

    id: int
    state: str
    why: str
    amount: Money
    refunded: Money
    failure: str
    action_url: str
    created_at: Moment
    settled_at: Moment | None


class PaymentsOut(Schema):
    items: list[PaymentOut]
    next_cursor: str | None


@router.post("/profiles/{profile_id}/credit/allocate", auth=Right(Audience.PAY), response=answers(MovedOut), summary="Allocate Credit")
def allocate(request: ApiRequest, profile_id: PathId, wanted: AmountIn) -> dict[str, Any]:
    """From the Manager's Credit to the profile's."""
    profile = profile_of(request, profile_id)
    about: dict[str, Any] = {"profile_id": profile.pk, "reference": request.reference, "amount_micros": parse_micros(wanted.amount)}
    return _moved(request, profile_id, credit.allocate_credit(**acting(request), **about))


@router.post("/profiles/{profile_id}/credit/take-back", auth=Right(Audience.PAY), response=answers(MovedOut), summary="Take Credit back")
def take_back(request: ApiRequest, profile_id: PathId, wanted: TakeBackIn) -> dict[str, Any]:
    """From the profile's Credit to the Manager's; never what calls hold."""
    about: dict[str, Any] = {"profile_id": profile_of(request, profile_id).pk, "reference": request.reference}
    if wanted.amount is None:
        return _moved(request, profile_id, credit.take_back_everything(**acting(request), **about))
    amount_micros = parse_micros(wanted.amount)
    return _moved(request, profile_id, credit.take_back_credit(**acting(request), **about, amount_micros=amount_micros))


@router.get("/recharge", auth=Right(Audience.LOOK), response=answers(RechargeOut), summary="The Manager's Auto-recharge")
def get_recharge(request: ApiRequest) -> dict[str, Any]:
    return _recharge(request, manager_id=request.company.pk)


@router.put("/recharge", auth=Right(Audience.PAY), response=answers(RechargeOut), summary="Set the Manager's Auto-recharge")
def set_recharge(request: ApiRequest, wanted: RechargeIn) -> dict[str, Any]:
    return _set(request, wanted, manager_id=request.company.pk)


@router.delete("/recharge", auth=Right(Audience.PAY), response=answers(Done), summary="Disable the Manager's Auto-recharge")
def disable_recharge(request: ApiRequest) -> dict[str, Any]:
    recharge_rules.disable_recharge(**acting(request), manager_id=request.company.pk)
    return {"done": True}


@router.post("/recharge/reset", auth=Right(Audience.PAY), response=answers(RechargeOut), summary="Recommended amounts for the Manager")
def reset_recharge(request: ApiRequest) -> dict[str, Any]:
    recharge_rules.reset_recharge(**acting(request), manager_id=request.company.pk)
    return _recharge(request, manager_id=request.company.pk)


@router.get(
    "/profiles/{profile_id}/recharge", auth=Right(Audience.LOOK), response=answers(RechargeOut), summary="A profile's Auto-recharge"
)
def get_profile_recharge(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    return _recharge(request, profile_id=profile_of(request, profile_id).pk)


@router.put(
    "/profiles/{profile_id}/recharge", auth=Right(Audience.PAY), response=answers(RechargeOut), summary="Set a profile's Auto-recharge"
)
def set_profile_recharge(request: ApiRequest, profile_id: PathId, wanted: RechargeIn) -> dict[str, Any]:
    return _set(request, wanted, profile_id=profile_of(request, profile_id).pk)


@router.delete(
    "/profiles/{profile_id}/recharge", auth=Right(Audience.PAY), response=answers(Done), summary="Disable a profile's Auto-recharge"
)
def disable_profile_recharge(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    recharge_rules.disable_recharge(**acting(request), profile_id=profile_of(request, profile_id).pk)
    return {"done": True}


@router.post(
    "/profiles/{profile_id}/recharge/reset",
    auth=Right(Audience.PAY),
    response=answers(RechargeOut),
    summary="Recommended amounts for a profile",
)
def reset_profile_recharge(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    recharge_rules.reset_recharge(**acting(request), profile_id=profile.pk)
    return _recharge(request, profile_id=profile.pk)


@router.get("/payments", auth=Right(Audience.LOOK), response=answers(PaymentsOut), summary="List payments")
def list_payments(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    mine: QuerySet[Payment] = Payment.objects.filter(manager=request.company)
    return listed(mine, _payment, cursor, limit)


@router.post("/payments", auth=Right(Audience.PAY), response=answers(PaymentOut), summary="Top the Manager's Credit up")
def start_payment(request: ApiRequest, wanted: PaymentIn) -> dict[str, Any]:
    """By a stored method, or on the provider's page. The Credit is there when `state` is succeeded: ask again, or take the webhook."""
    back = request.build_absolute_uri(company_path(request.company.pk, f"/credit/returned/{request.reference}"))
    made = payments.start_top_up(
        **acting(request),
        manager_id=request.company.pk,
        amount_micros=parse_micros(wanted.amount),
        reference=request.reference,
        return_url=back,
        provider=payment_provider(),
        method_id=wanted.method_id,
    )
    return get_payment(request, made.payment_id)


@router.get("/payments/{payment_id}", auth=Right(Audience.LOOK), response=answers(PaymentOut), summary="A payment")
def get_payment(request: ApiRequest, payment_id: PathId) -> dict[str, Any]:
    return _payment(the_one(Payment.objects.filter(manager=request.company), payment_id, "payment"))


def _moved(request: ApiRequest, profile_id: int, moved: credit.Moved) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    request.company.account.refresh_from_db()
    currency = profile.account.currency
    return {
        "posting_id": moved.posting_id,
        "manager_free": money(ledger.free(request.company.account), currency),
        "profile_free": money(ledger.free(profile.account), currency),
        "repeated": moved.repeated,
    }


def _set(request: ApiRequest, wanted: RechargeIn, **owner: Any) -> dict[str, Any]:
    saved = recharge_rules.set_recharge(
        **acting(request),
        **owner,
        threshold_micros=parse_micros(wanted.threshold, "threshold"),
        amount_micros=parse_micros(wanted.amount),
        monthly_limit_micros=parse_micros(wanted.monthly_limit, "monthly_limit") if wanted.monthly_limit else None,
        method_id=wanted.method_id,
        confirmed=wanted.confirmed,
    )
    if isinstance(saved, RechargeNeedsConfirmation):
        raise Conflict(f"{' '.join(saved.warnings)} Send it again with `confirmed` to save it all the same.")
    return _recharge(request, **owner)


def _recharge(request: ApiRequest, **owner: int) -> dict[str, Any]:
    state, currency = recharge_rules.recharge_of(**owner), request.company.currency
    rule, better = state.rule, state.recommended
    limit = rule.monthly_limit_micros if rule else None
    return {
        "enabled": bool(rule and rule.enabled),
        "threshold": money(rule.threshold_micros, currency) if rule else None,
        "amount": money(rule.amount_micros, currency) if rule else None,
        "monthly_limit": None if limit is None else money(limit, currency),
        "method_id": rule.method_id if rule else None,
        "recommended_threshold": money(better.threshold_micros, currency),
        "recommended_amount": money(better.amount_micros, currency),
        "last_failure": rule.last_failure if rule else "",
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.pk,
        "state": payment.state,
        "why": payment.why,
        "amount": money(payment.amount_micros, payment.currency),
        "refunded": money(payment.refunded_micros, payment.currency),
        "failure": payment.failure,
        "action_url": payment.action_url,
        "created_at": iso(payment.created_at),
        "settled_at": iso_or_none(payment.settled_at),
    }
