"""`./trunkline statement ...`: what happened in a purse, month by month, and whether a file of it is still what was exported."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from trunkline.cli.store import StoreGroup, acting, json_option, show
from trunkline.domain.statement_check import Tampered
from trunkline.domain.statement_files import FORMATS, verify as verify_file
from trunkline.domain.statements import parse_month


@click.group(cls=StoreGroup)
def statement() -> None:
    """Statements: every movement of one purse in a month, with the balance after it, chained by hash."""


@statement.command()
@click.option("--manager", help="A Manager's Credit.")
@click.option("--profile", "profile_id", type=int, help="A SIP Profile's Credit, also a deleted one's: its id.")
@click.option("--term", "term_id", type=int, help="A bundle's minutes: the id of its term.")
@click.option("--month", required=True, help="Like 2026-11, in the Manager's time zone.")
@click.option("--format", "file_format", type=click.Choice(FORMATS), default="csv", show_default=True, help="json: one object a line.")
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True, atomic=True), default="-", help="A file; else it is printed.")
def export(manager: str | None, profile_id: int | None, term_id: int | None, *, month: str, file_format: str, output: IO[str]) -> None:
    """A month of one purse, as a file that `statement verify` can check."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases import statements

    manager_id = manager_named(manager).pk if manager is not None else None
    purse = statements.purse_of(manager_id=manager_id, profile_id=profile_id, term_id=term_id)
    for piece in statements.export(statements.statement(**acting(), purse=purse, month=parse_month(month)), file_format):
        output.write(piece)


@statement.command(cls=click.Command)  # it needs no store
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def verify(file: Path, *, as_json: bool) -> None:
    """Recompute balances and hashes of FILE, without a store. Exit status 1, and what differs first, if it is not what was exported.

    Whoever changes a file may change all its hashes, too: compare the last one with the same month exported by the operator.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            found = verify_file(lines)
    except (Tampered, UnicodeDecodeError) as problem:
        raise click.ClickException(f"{file.name}: {problem}") from problem
    show(as_json, found, lambda: [
        f"All is well: {found.purse}, {found.month} ({found.state}), {found.rows} movements.",
        f"{found.opening_balance} {found.currency} at its beginning, {found.closing_balance} {found.currency} at its end.",
        f"Last hash: {found.digest}",
    ])  # fmt: skip


COMMANDS = (statement,)
