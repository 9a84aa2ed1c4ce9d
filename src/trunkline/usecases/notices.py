"""What Managers are told by mail (SPEC R3.6, R4.2, R4.3). The words are in `data/mail`, keys say what a mail is about."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from trunkline.domain.money import for_people
from trunkline.store import ledger
from trunkline.store.models import Account, Dispute, Manager, Payment, RechargeRule, Term
from trunkline.store.recharges import Owner
from trunkline.store.work import Work
from trunkline.usecases.mail import put_in_outbox
from trunkline.usecases.till import describe


def low_balance(doing: Work, manager: Manager, *, free_micros: int, limit_micros: int) -> None:
    context = {"free": for_people(free_micros, manager.currency), "limit": for_people(limit_micros, manager.currency)}
    key = f"low_balance/{manager.pk}/{ledger.microseconds(doing.now)}"
    put_in_outbox(doing, key=key, manager=manager, template="low_balance", context=context)


def recharge_failed(doing: Work, manager: Manager, rule: RechargeRule, *, credit: Account, amount_micros: int) -> None:
    """Tried again later, or, when that was the last time, switched off."""
    context = {
        "amount": for_people(amount_micros, manager.currency),
        "failure": rule.last_failure,
        "free": for_people(ledger.free(credit), manager.currency),
    }
    if rule.enabled and rule.next_try_at is not None:
        context["next_step"] = f"We will try again at {for_reading(rule.next_try_at, manager)}."
    else:
        context["tries"] = str(rule.failures)
    template = "recharge_failed" if rule.enabled else "recharge_stopped"
    put_in_outbox(doing, key=f"{template}/{rule.pk}/{rule.recharges}", manager=manager, template=template, context=context)


def recharge_action(doing: Work, manager: Manager, rule: RechargeRule, *, credit: Account, amount_micros: int, action_url: str) -> None:
    context = {
        "amount": for_people(amount_micros, manager.currency),
        "free": for_people(ledger.free(credit), manager.currency),
        "action_url": action_url,
    }
    put_in_outbox(doing, key=f"recharge_action/{rule.pk}/{rule.recharges}", manager=manager, template="recharge_action", context=context)


def recharge_limit(doing: Work, owner: Owner, rule: RechargeRule, *, purse: Account, until: datetime) -> None:
    """The month's limit is reached; once a month."""
    context = {
        "purse": owner.purse,
        "limit": for_people(rule.monthly_limit_micros or 0, purse.currency),
        "amount": for_people(rule.amount_micros, purse.currency),
        "free": for_people(ledger.free(purse), purse.currency),
    }
    put_in_outbox(
        doing, key=f"recharge_limit/{rule.pk}/{until:%Y-%m-%d}", manager=owner.manager, template="recharge_limit", context=context
    )


def recharge_often(doing: Work, owner: Owner, rule: RechargeRule, *, purse: Account, until: datetime) -> None:
    context = {"purse": owner.purse, "times": str(rule.day_recharges), "free": for_people(ledger.free(purse), purse.currency)}
    put_in_outbox(
        doing, key=f"recharge_often/{rule.pk}/{until:%Y-%m-%d}", manager=owner.manager, template="recharge_often", context=context
    )


def recharge_short(doing: Work, owner: Owner, rule: RechargeRule, *, purse: Account, credit: Account) -> None:
    """The Manager has too little for a profile; once until the profile is recharged."""
    context = {
        "purse": owner.purse,
        "amount": for_people(rule.amount_micros, purse.currency),
        "free": for_people(ledger.free(purse), purse.currency),
        "manager_free": for_people(ledger.free(credit), purse.currency),
    }
    put_in_outbox(
        doing, key=f"recharge_short/{rule.pk}/{rule.recharges}", manager=owner.manager, template="recharge_short", context=context
    )


def term_ends(doing: Work, term: Term, *, days: int, price_micros: int, free_micros: int) -> None:
    """Soon: it was cancelled, or its renewal can't be paid as things are. `days`: 7, 3 or 1."""
    manager = term.manager
    context = {
        "what": describe(term),
        "ends_at": for_reading(term.ends_at, manager),
        "ends_on": day_of(term.ends_at, manager),
        "days": str(days),
    }
    if term.renews:
        context |= {"price": for_people(price_micros, manager.currency), "free": for_people(free_micros, manager.currency)}
    template = "renewal_unpaid" if term.renews else "term_expires"
    put_in_outbox(doing, key=f"{template}/{term.pk}/{days}", manager=manager, template=template, context=context)


def term_lapsed(doing: Work, term: Term, *, price_micros: int | None, free_micros: int) -> None:
    """It ended although it was to be renewed. `price_micros`: what that would have cost; None: it is not to be had any more."""
    manager = term.manager
    context = {"what": describe(term), "ended_at": for_reading(doing.now, manager)}
    if price_micros is None:
        context["reason"] = "It is not offered any more, or there were not enough calling channels for it."
    else:
        price, free = (for_people(amount, manager.currency) for amount in (price_micros, free_micros))
        context["reason"] = f"Its renewal costs {price}, and the free Credit was {free}."
    put_in_outbox(doing, key=f"term_lapsed/{term.pk}", manager=manager, template="term_lapsed", context=context)


def top_up_failed(doing: Work, manager: Manager, payment: Payment) -> None:
    amount = for_people(payment.amount_micros, payment.currency)
    context = {"amount": amount, "failure": payment.failure or "the provider gave no reason.", "reference": payment.reference}
    put_in_outbox(doing, key=f"top_up_failed/{payment.pk}", manager=manager, template="top_up_failed", context=context)


def payment_disputed(doing: Work, manager: Manager, dispute: Dispute) -> None:
    payment = dispute.payment
    context = {
        "amount": for_people(dispute.amount_micros, payment.currency),
        "taken": for_people(dispute.taken_micros, payment.currency),
        "paid_at": day_of(payment.settled_at or payment.created_at, manager),
        "reference": payment.reference,
        "reason": dispute.reason or "none was given",
    }
    put_in_outbox(doing, key=f"payment_disputed/{dispute.pk}", manager=manager, template="payment_disputed", context=context)


def for_reading(moment: datetime, manager: Manager) -> str:
    """In the Manager's time zone."""
    return moment.astimezone(ZoneInfo(manager.time_zone)).strftime("%-d %B %Y, %H:%M %Z")


def day_of(moment: datetime, manager: Manager) -> str:
    return moment.astimezone(ZoneInfo(manager.time_zone)).strftime("%-d %B %Y")
