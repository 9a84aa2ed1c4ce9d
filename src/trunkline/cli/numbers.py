"""`./trunkline number ...`: Online Numbers."""

from __future__ import annotations

from pathlib import Path

import click

from trunkline.cli.store import StoreGroup, acting, json_option, show, table


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


COMMANDS = (number,)
