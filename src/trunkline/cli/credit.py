"""`./trunkline credit ...`: money in, and where it goes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text, for_people

move_reference = click.option(
    "--reference", default=lambda: uuid.uuid4().hex, help="Repeating the command with the same reference does nothing."
)


@click.group(cls=StoreGroup)
def credit() -> None:
    """Credit. Amounts like 12.34, in the Manager's currency."""


@credit.command()
@click.argument("manager")
@click.argument("amount", type=AMOUNT)
@click.option("--reference", required=True, help="Names the payment, such as the bank's; it is booked once.")
@click.option("--note", default="")
@json_option
def book(manager: str, amount: int, *, reference: str, note: str, as_json: bool) -> None:
    """A payment came in: it becomes Credit of MANAGER."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.credit import book_payment

    found = manager_named(manager)
    moved = book_payment(**acting(), manager_id=found.pk, amount_micros=amount, reference=reference, note=note)
    _say(as_json, moved, found.currency, f"{for_people(amount, found.currency)} booked for {found.company_name}.")


@credit.command()
@click.argument("profile")
@click.argument("amount", type=AMOUNT)
@move_reference
@json_option
def allocate(profile: str, amount: int, *, reference: str, as_json: bool) -> None:
    """From the Manager's Credit to PROFILE's."""
    from trunkline.usecases.credit import allocate_credit

    _move(allocate_credit, "allocated to", profile, amount, reference, as_json=as_json)


@credit.command("take-back")
@click.argument("profile")
@click.argument("amount", type=AMOUNT)
@move_reference
@json_option
def take_back(profile: str, amount: int, *, reference: str, as_json: bool) -> None:
    """From PROFILE's Credit back to its Manager's; never what calls hold."""
    from trunkline.usecases.credit import take_back_credit

    _move(take_back_credit, "taken back from", profile, amount, reference, as_json=as_json)


@credit.command("show")
@click.argument("manager", required=False)
@json_option
def show_all(manager: str | None, *, as_json: bool) -> None:
    """Every purse, or those of MANAGER: balance, held by calls, free."""
    from trunkline.store.models import Account
    from trunkline.store.queries import manager_named

    accounts = Account.objects.order_by("id")
    if manager is not None:
        found = manager_named(manager)
        mine = [found.account_id, *found.profiles.values_list("account_id", flat=True)]
        accounts = accounts.filter(pk__in=mine)
    rows = [_facts(account) for account in accounts]
    columns = ("id", "name", "currency", "balance", "held", "free")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


def _move(do: Callable[..., Any], done: str, profile: str, amount: int, reference: str, *, as_json: bool) -> None:
    from trunkline.store.queries import profile_named

    found = profile_named(profile)
    moved = do(**acting(), profile_id=found.pk, amount_micros=amount, reference=reference)
    _say(as_json, moved, found.account.currency, f"{for_people(amount, found.account.currency)} {done} {found.name}.")


def _say(as_json: bool, moved: Any, currency: str, what: str) -> None:
    balance = f"The balance is {for_people(moved.balance_micros, currency)}."
    repeated = "Booked before under this reference: nothing happened this time." if moved.repeated else what
    show(as_json, moved, lambda: [repeated, balance])


def _facts(account: Any) -> dict[str, Any]:
    return {
        "id": account.pk,
        "kind": account.kind,
        "name": account.name,
        "currency": account.currency,
        "balance": decimal_text(account.balance),
        "held": decimal_text(account.held),
        "free": decimal_text(account.balance - account.held),
    }


COMMANDS = (credit,)
