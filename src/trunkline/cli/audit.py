"""`./trunkline audit`: does everything follow from what happened?"""

from __future__ import annotations

import click

from trunkline.cli.store import StoreCommand, json_option, show


@click.command(cls=StoreCommand)
@json_option
def audit(*, as_json: bool) -> None:
    """Recompute balances, holds, channels and costs from postings and calls. Exit status 1, and what differs, if they don't follow.

    Calls may go on meanwhile: everything is read as it was at one moment.
    """
    from trunkline.store.audit import audit as recompute

    found = recompute()
    looked_at = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in found.checked.items())
    lines = [
        f"{each.check}: {each.kind} {each.ident} is {each.stored}, but {each.follows} follows from what happened"
        for each in found.differences
    ]
    show(as_json, found.as_json(), lambda: [*lines, f"{'All is well' if found.ok else 'Something differs'}: {looked_at}."])
    click.get_current_context().exit(0 if found.ok else 1)


COMMANDS = (audit,)
