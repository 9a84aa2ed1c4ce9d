"""`./trunkline mail ...`: what Managers were told."""

from __future__ import annotations

from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show, table


@click.group(cls=StoreGroup)
def mail() -> None:
    """Mail to Managers: notices of their Credit, renewals, Auto-recharge."""


@mail.command("list")
@click.option("--manager", help="Only this Manager's.")
@click.option("--given-up", is_flag=True, help="Only those that could not be sent.")
@click.option("--newest", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@json_option
def list_all(manager: str | None, *, given_up: bool, newest: int, as_json: bool) -> None:
    """Newest first."""
    from trunkline.store import outbox
    from trunkline.store.queries import manager_named

    manager_id = None if manager is None else manager_named(manager).pk
    rows = [_facts(each) for each in outbox.newest(manager_id=manager_id, most=newest, only_given_up=given_up)]
    columns = ("id", "written", "to", "subject", "state", "tries", "failure")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@mail.command("show")
@click.argument("ident", metavar="MAIL", type=int)
@json_option
def show_one(ident: int, *, as_json: bool) -> None:
    """One mail, as it was written."""
    from trunkline.store import outbox

    found = outbox.mail(ident)
    facts = _facts(found) | {"text": found.text, "about": found.key}
    head = (f"{name:8} {facts[name]}" for name in ("written", "to", "subject", "state", "failure") if facts[name])
    show(as_json, facts, lambda: [*head, "", found.text])


@mail.command()
@click.argument("manager")
@click.option("--email", required=True, help="Where notices go; empty: nowhere.")
@click.option("--low-balance", type=AMOUNT, help="Tell when less is free, like 12.34. Without it: never.")
def notices(manager: str, *, email: str, low_balance: int | None) -> None:
    """Set where the notices of MANAGER go."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.reminders import set_notices

    found = manager_named(manager)
    set_notices(**acting(), manager_id=found.pk, email=email, low_balance_micros=low_balance)
    click.echo(f"Notices of {found.company_name} go to {email}." if email else f"{found.company_name} gets no notices.")


def _facts(row: Any) -> dict[str, Any]:
    state = "sent" if row.sent_at else "given up" if row.given_up_at else "waits"
    return {
        "id": row.pk,
        "manager": row.manager.company_name if row.manager else "",
        "written": row.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        "to": row.to,
        "subject": row.subject,
        "state": state,
        "tries": row.tries,
        "failure": row.failure,
    }


COMMANDS = (mail,)
