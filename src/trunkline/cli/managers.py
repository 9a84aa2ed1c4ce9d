"""`./trunkline manager ...`: companies."""

from __future__ import annotations

from typing import Any

import click

from trunkline.cli.store import StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text


@click.group(cls=StoreGroup)
def manager() -> None:
    """A company's account in one country. MANAGER is its id, administrator account or company name."""


@manager.command()
@click.argument("company_name")
@click.option("--country", required=True, help="Two letters (ISO 3166-1), such as US.")
@click.option("--currency", required=True, help="Three letters (ISO 4217), such as USD.")
@click.option("--time-zone", required=True, help="Such as America/New_York.")
@click.option("--admin", "admin_account", required=True, help="The administrator's account, such as Company.Admin.")
@click.option("--prices", required=True, help="The price list, by name or id.")
@json_option
def create(prices: str, *, as_json: bool, **given: Any) -> None:
    """Open a Manager for COMPANY_NAME."""
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.managers import create_manager

    made = create_manager(**acting(), price_list_id=price_list_named(prices).pk, **given)
    show(as_json, made, lambda: [f"Manager {made.manager_id} is open.", *made.warnings])


@manager.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """All Managers, with their Credit that is not allocated to profiles."""
    from trunkline.store.models import Manager

    rows = [_facts(each) for each in Manager.objects.select_related("account", "price_list").order_by("id")]
    columns = ("id", "company_name", "country", "currency", "state", "credit")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@manager.command("show")
@click.argument("manager")
@json_option
def show_one(manager: str, *, as_json: bool) -> None:
    """Everything about one Manager."""
    from trunkline.store.queries import manager_named

    facts = _facts(manager_named(manager))
    show(as_json, facts, lambda: [f"{name.replace('_', ' '):14} {value}" for name, value in facts.items()])


@manager.command()
@click.argument("manager")
@click.option("--reason", required=True, help="What the company is told.")
def suspend(manager: str, *, reason: str) -> None:
    """Stop its outgoing calls; incoming ones go on."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.managers import suspend_manager

    found = manager_named(manager)
    suspend_manager(**acting(), manager_id=found.pk, reason=reason)
    click.echo(f"{found.company_name} is suspended.")


@manager.command()
@click.argument("manager")
def resume(manager: str) -> None:
    """Let it call again."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.managers import resume_manager

    found = manager_named(manager)
    resume_manager(**acting(), manager_id=found.pk)
    click.echo(f"{found.company_name} is active.")


def _facts(each: Any) -> dict[str, Any]:
    return {
        "id": each.pk,
        "company_name": each.company_name,
        "country": each.country,
        "currency": each.currency,
        "time_zone": each.time_zone,
        "admin_account": each.admin_account,
        "state": each.state,
        "price_list": each.price_list.name,
        "credit": decimal_text(each.account.balance),
        "profiles": each.profiles.exclude(state="deleted").count(),
        "created_at": each.created_at.isoformat(),
    }


COMMANDS = (manager,)
