"""Commands that look after the store; and how any command opens it."""

from __future__ import annotations

import os

import click
import django
from django.core.management import call_command


def open_store() -> None:
    """Call this first in a command that reads or writes the store."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.store.settings")
    django.setup()


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit status 1 if something is to be done.")
def migrate(*, check: bool) -> None:
    """Bring the store's tables up to date."""
    open_store()
    if check:
        call_command("migrate", check_unapplied=True, verbosity=0)
    else:
        call_command("migrate", interactive=False, verbosity=1)


COMMANDS = (migrate,)
