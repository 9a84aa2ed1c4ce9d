"""Commands that look after the store; and how any command opens it, says who acts, and shows what came out."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import django
import msgspec
from django.core.management import call_command

from trunkline.domain.errors import Problem
from trunkline.domain.money import parse_micros
from trunkline.runtime.settings import Settings

if TYPE_CHECKING:
    from trunkline.store.work import By


def open_store() -> None:
    """Call this first in a command that reads or writes the store."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.store.settings")
    django.setup()


def open_web() -> None:
    """Instead of `open_store`, for what concerns the tables of the web process as well."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "trunkline.web.settings"
    django.setup()


class StoreCommand(click.Command):
    """Opens the store; a `Problem` is a message and exit status 1, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        open_store()
        try:
            return super().invoke(ctx)
        except Problem as problem:
            raise click.ClickException(str(problem)) from problem


class StoreGroup(click.Group):
    command_class = StoreCommand


class Amount(click.ParamType[int]):
    """12.34 as micro-units."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_micros(value)
        except Problem as problem:
            self.fail(str(problem), param, ctx)


AMOUNT = Amount()
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def acting() -> dict[str, Any]:
    """What every use case wants to know: `now`, and `by` whom."""
    from trunkline.store.clock import now

    return {"now": now(), "by": _operator()}


def show(as_json: bool, value: Any, text: Callable[[], Iterable[str]]) -> None:
    """`value` as one JSON object, or `text` by line."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
    else:
        for line in text():
            click.echo(line)


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Columns as wide as they need to be."""
    if not rows:
        return ["none"]
    cells = [list(headers), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _operator() -> By:
    from trunkline.store.work import By

    return By(f"operator {getpass.getuser()}", "command line")


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit status 1 if something is to be done.")
@click.pass_obj
def migrate(settings: Settings, *, check: bool) -> None:
    """Bring the store's tables up to date, and passwords to the SIP domain of the settings."""
    open_web()
    if check:
        call_command("migrate", check_unapplied=True, verbosity=0)
        return
    call_command("migrate", interactive=False, verbosity=1)
    from trunkline.usecases.credentials import adopt_sip_domain

    if adopted := adopt_sip_domain(**acting(), sip_domain=settings.sip_domain):
        click.echo(f"The SIP domain is {settings.sip_domain} now: {adopted} passwords work there.")


COMMANDS = (migrate,)
