"""`./trunkline doctor`: what is well on this machine, what is not, and what to do."""

from __future__ import annotations

import click
import msgspec

from trunkline.runtime.doctor import examine
from trunkline.runtime.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check the machine, the engines and the instance. Exit status 1 if anything is not well."""
    checks = []
    for check in examine(settings):
        checks.append(check)
        if not as_json:
            click.echo(f"{'ok ' if check.ok else 'BAD'}  {check.name:10} {check.detail}")
            if check.todo:
                click.echo(f"                → {check.todo}")
    well = all(check.ok for check in checks)
    if as_json:
        click.echo(msgspec.json.encode({"ok": well, "checks": checks}))
    click.get_current_context().exit(0 if well else 1)


COMMANDS = (doctor,)
