"""`./trunkline`: the group, and where its commands come from."""

from __future__ import annotations

import os
from importlib import import_module

import click

from trunkline import __version__
from trunkline.runtime.settings import SettingsError, load_settings

# A module's COMMANDS become commands of `./trunkline`, in this order. Adding a module is one line here.
MODULES = (
    "trunkline.cli.instance",
    "trunkline.cli.engines",
    "trunkline.cli.doctor",
    "trunkline.cli.managers",
    "trunkline.cli.people",
    "trunkline.cli.profiles",
    "trunkline.cli.subscriptions",
    "trunkline.cli.bundles",
    "trunkline.cli.pbx",
    "trunkline.cli.credit",
    "trunkline.cli.recharge",
    "trunkline.cli.mail",
    "trunkline.cli.clock",
    "trunkline.cli.payments",
    "trunkline.cli.statement",
    "trunkline.cli.prices",
    "trunkline.cli.carriers",
    "trunkline.cli.numbers",
    "trunkline.cli.calls",
    "trunkline.cli.demo",
    "trunkline.cli.audit",
    "trunkline.cli.store",
)


class Listed(click.Group):
    """Shows commands in the order of MODULES, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Listed, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="trunkline")
@click.pass_context
def trunkline(ctx: click.Context) -> None:
    """Trunkline: prepaid SIP trunking that you run yourself."""
    try:
        ctx.obj = load_settings()
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from problem
    os.environ.update(ctx.obj.environment())  # what Django and every child process read


def main() -> None:
    for name in MODULES:
        for command in import_module(name).COMMANDS:
            trunkline.add_command(command)
    trunkline(prog_name="trunkline")
