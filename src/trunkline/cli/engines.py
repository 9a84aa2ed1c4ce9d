"""`./trunkline engines`: the roots that the engines run from."""

from __future__ import annotations

import click

from trunkline.runtime.engine_root import ROOTS, EngineError, ensure_root


@click.group()
def engines() -> None:
    """Build and find the engine roots (Kamailio, RTPengine, and the lab's Asterisk and SIPp)."""


@engines.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(ROOTS)))
@click.option("--fresh", is_flag=True, help="Build again with today's packages: for security updates. Then restart: down, up.")
def build(names: tuple[str, ...], *, fresh: bool) -> None:
    """Build the roots that are not there yet. Without NAMES: the engine root."""
    try:
        for name in names or ("engine",):
            ensure_root(name, lambda text: click.echo(text, err=True), fresh=fresh)
    except EngineError as problem:
        raise click.ClickException(str(problem)) from problem


@engines.command()
def paths() -> None:
    """Print where each root is, or would be."""
    for name, spec in ROOTS.items():
        click.echo(f"{name}\t{spec.path}\t{'built' if spec.path.is_dir() else 'missing'}")


COMMANDS = (engines,)
