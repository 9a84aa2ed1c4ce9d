"""`./trunkline people`: who signs in to the web pages; the operator's own people begin here."""

from __future__ import annotations

import secrets

import click

from trunkline.cli.store import StoreCommand, StoreGroup, acting, json_option, show, table
from trunkline.domain.credentials import new_password


@click.group(cls=StoreGroup)
def people() -> None:
    """Who signs in: companies' people and the operator's."""


@people.command("list", cls=StoreCommand)
@json_option
def list_people(*, as_json: bool) -> None:
    """All accounts, and what they may do where."""
    from trunkline.store.models import Person

    known = Person.objects.prefetch_related("memberships__manager").order_by("account")
    rows = [
        (one.account, one.email, one.staff, ", ".join(f"{m.manager.company_name}: {m.role}" for m in one.memberships.all()))
        for one in known
    ]
    names = ("account", "email", "staff", "companies")
    show(as_json, [dict(zip(names, row, strict=True)) for row in rows], lambda: table(names, rows))


@people.command("add-staff", cls=StoreCommand)
@click.argument("account")
@click.option("--email", required=True)
@click.option("--support", is_flag=True, help="Sees everything, changes nothing.")
@json_option
def add_staff(account: str, *, email: str, support: bool, as_json: bool) -> None:
    """Somebody of the operator. Prints the first password; change it after signing in."""
    from trunkline.usecases.people import NewPerson, add_staff as add

    password = new_password(secrets.randbelow)
    add(**acting(), person=NewPerson(account, email, password, email_proven=True), staff="support" if support else "operator")
    _tell(account, password, as_json=as_json)


@people.command("add-member", cls=StoreCommand)
@click.argument("account")
@click.option("--email", required=True)
@click.option("--manager", required=True, help="Id, administrator account or company name.")
@click.option("--role", type=click.Choice(["administrator", "billing", "reports", "read_only"]), default="administrator", show_default=True)
@json_option
def add_member(account: str, *, email: str, manager: str, role: str, as_json: bool) -> None:
    """Somebody of a company, without an invitation. Prints the first password."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.people import NewPerson, add_member as add

    password = new_password(secrets.randbelow)
    person = NewPerson(account, email, password, email_proven=True)
    add(**acting(), manager_id=manager_named(manager).pk, person=person, role=role)
    _tell(account, password, as_json=as_json)


@people.command(cls=StoreCommand)
@click.argument("account")
@json_option
def password(account: str, *, as_json: bool) -> None:
    """A new password for ACCOUNT; all its sessions end."""
    from trunkline.usecases.people import set_password

    new = new_password(secrets.randbelow)
    set_password(**acting(), account=account, password=new)
    _tell(account, new, as_json=as_json)


def _tell(account: str, password: str, *, as_json: bool) -> None:
    show(as_json, {"account": account, "password": password}, lambda: [f"account {account}, password {password}"])


COMMANDS = (people,)
