"""`./trunkline number ...`: Online Numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trunkline.cli.store import StoreGroup, acting, json_option, show, table
from trunkline.cli.subscriptions import bought_lines, moment, offer_lines, reference_option


@click.group(cls=StoreGroup)
def number() -> None:
    """Online Numbers: the stock, and the SIP Profiles that they are on. Numbers like +12025550100."""


@number.command()
@click.argument("numbers", nargs=-1)
@click.option(
    "--sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV with a column number and, if you like, country, area, monthly price, terms, residency.",
)
def add(numbers: tuple[str, ...], *, sheet: Path | None) -> None:
    """Put NUMBERS, or those of a sheet, into the stock."""
    from trunkline.domain.number_sheet import stock_number
    from trunkline.usecases.numbers import add_numbers, import_numbers

    if bool(numbers) == (sheet is not None):
        raise click.UsageError("Give numbers, or --sheet.")
    if sheet is not None:
        count = import_numbers(**acting(), data=sheet.read_bytes())
    else:
        count = add_numbers(**acting(), stock=[stock_number(each) for each in numbers])
    click.echo(f"{count} {'number is' if count == 1 else 'numbers are'} in the stock.")


@number.command()
@click.argument("e164", metavar="NUMBER")
@click.argument("profile")
@click.option("--foreign", is_flag=True, help="Also a number of another country than the Manager's.")
def assign(e164: str, profile: str, *, foreign: bool) -> None:
    """Calls to NUMBER reach the PBX of PROFILE (its id, SIP user or name)."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.numbers import assign_number

    found = profile_named(profile)
    assign_number(**acting(), e164=e164, profile_id=found.pk, allow_foreign=foreign)
    click.echo(f"{e164} is on {found.name}.")


@number.command()
@click.argument("e164", metavar="NUMBER")
@click.option("--to-operator", is_flag=True, help="Back to the operator's stock, not the Manager's.")
def release(e164: str, *, to_operator: bool) -> None:
    """Take NUMBER off its profile."""
    from trunkline.usecases.numbers import release_number

    release_number(**acting(), e164=e164, to_operator=to_operator)
    click.echo(f"{e164} is in the stock of {'the operator' if to_operator else 'its Manager'}.")


@number.command()
@click.argument("e164", metavar="NUMBER")
@click.argument("manager")
@click.option("--profile", help="Calls to it reach the PBX of this SIP Profile; without: nobody yet.")
@click.option("--foreign", is_flag=True, help="Also a number of another country than the Manager's.")
@reference_option
@click.option("--yes", is_flag=True, help="The company has agreed to the terms: don't ask.")
@json_option
def rent(e164: str, manager: str, *, profile: str | None, foreign: bool, reference: str, yes: bool, as_json: bool) -> None:
    """Rent NUMBER by the month to MANAGER, from its Credit, after showing its price and terms. `assign` costs nothing."""
    from trunkline.store.queries import manager_named, profile_named
    from trunkline.usecases.number_fees import rent_number
    from trunkline.usecases.number_places import agree
    from trunkline.usecases.numbers import number_named

    company, wanted = manager_named(manager), number_named(e164)
    about: dict[str, Any] = {"manager_id": company.pk, "number_id": wanted.pk}
    profile_id = None if profile is None else profile_named(profile).pk
    if wanted.manager_id is None:  # else it is taken, or this is said a second time
        _show_terms(wanted, about, foreign=foreign, ask=not yes)
        agree(**acting(), **about)
    done = rent_number(**acting(), **about, profile_id=profile_id, reference=reference, allow_foreign=foreign)
    show(as_json, done, lambda: bought_lines(done, f"month of +{wanted.e164}", company.currency))


@number.command()
@click.argument("e164", metavar="NUMBER")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def cancel(e164: str, *, yes: bool, as_json: bool) -> None:
    """Don't renew NUMBER: it can be used until the end of the month that is paid, then it returns to the stock."""
    from trunkline.usecases.number_fees import cancel_number

    about = _rented(e164)
    if not yes:
        click.confirm(
            "It can be used until the end of the month that is paid, then somebody else may have it. Cancel it?", abort=True, err=True
        )
    done = cancel_number(**acting(), **about)
    show(as_json, done, lambda: [f"Cancelled. It can be used until {moment(done.ends_at)}."])


@number.command()
@click.argument("e164", metavar="NUMBER")
@json_option
def undo(e164: str, *, as_json: bool) -> None:
    """Take a cancellation back."""
    from trunkline.usecases.number_fees import undo_cancel_number

    done = undo_cancel_number(**acting(), **_rented(e164))
    show(as_json, done, lambda: [f"It is renewed on {moment(done.ends_at)}."])


@number.command("list")
@click.option("--manager", help="Only this Manager's.")
@json_option
def list_all(manager: str | None, *, as_json: bool) -> None:
    """All numbers, and where they are."""
    from trunkline.store.queries import manager_named, stock

    found = stock(manager_id=None if manager is None else manager_named(manager).pk)
    columns = ("number", "country", "company", "profile")
    rows = [
        {
            "number": f"+{each.e164}",
            "country": each.country,
            "company": each.manager.company_name if each.manager else "",
            "profile": each.profile.name if each.profile else "",
        }
        for each in found
    ]
    show(as_json, rows, lambda: table(columns, [list(row.values()) for row in rows]))


def _show_terms(wanted: Any, about: dict[str, Any], *, foreign: bool, ask: bool) -> None:
    """What it costs and what is agreed to; stops when that is not wanted."""
    from trunkline.domain.number_rental import rental_terms
    from trunkline.usecases.number_fees import preview_number

    offer = preview_number(now=acting()["now"], **about, allow_foreign=foreign)
    if ask and not offer.problems:
        for line in (*offer_lines(offer, f"month of +{wanted.e164}"), *rental_terms(wanted.rental_terms, wanted.residency)):
            click.echo(line, err=True)
        click.confirm("Does the company agree to these terms?", abort=True, err=True)
    offer.must_be_possible()


def _rented(e164: str) -> dict[str, Any]:
    from trunkline.domain.errors import NotFound
    from trunkline.usecases.numbers import number_named

    found = number_named(e164)
    if found.manager_id is None:
        raise NotFound(f"+{found.e164} is in the operator's stock: nobody rents it.")
    return {"manager_id": found.manager_id, "number_id": found.pk}


COMMANDS = (number,)
