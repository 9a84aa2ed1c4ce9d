"""`./trunkline up | down | status | run`: an instance on this machine."""

from __future__ import annotations

import asyncio

import click
import msgspec

from trunkline.cli.store import open_store
from trunkline.runtime.engine_root import EngineError
from trunkline.runtime.instance import run_detached, run_in_foreground
from trunkline.runtime.settings import Settings, SettingsError
from trunkline.runtime.status import AlreadyRunningError, NotStoppedError, bring_down, read_status
from trunkline.runtime.supervisor import StartError

CANNOT_START = (StartError, EngineError, SettingsError, AlreadyRunningError)


@click.command()
@click.option("--detach", is_flag=True, help="Return when everything is ready, and let it run on.")
@click.pass_obj
def up(settings: Settings, *, detach: bool) -> None:
    """Start everything, and start again what dies; Ctrl-C ends it."""
    try:
        if detach:
            run_detached(settings, click.echo)
            click.echo(f"Trunkline runs. Manager: {manager_url(settings)}")
        else:
            run_in_foreground(settings, click.echo, lambda: click.echo("Trunkline is ready."))
    except CANNOT_START as problem:
        raise click.ClickException(str(problem)) from problem


@click.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """End everything that runs in this home, and wait until it has ended."""
    try:
        asyncio.run(bring_down(settings))
    except NotStoppedError as problem:
        raise click.ClickException(str(problem)) from problem


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show which processes run, since when, and how often they were started again. Exit status 1 if not all are ready."""
    now = read_status(settings)
    if as_json:
        click.echo(msgspec.json.encode(now))
    else:
        click.echo("running" if now.running else "not running")
        for process in now.processes:
            shown = f"{process.name:12} {process.state:10} pid {process.pid or '-':<8} restarts {process.restarts:<4}"
            click.echo(f"  {shown} since {process.since or '-'}")
    click.get_current_context().exit(0 if now.ready else 1)


@click.command()
@click.pass_obj
def run(settings: Settings) -> None:
    """What `make run` does: the demo company, then `up`, and where to go next."""
    told: list[str] = []
    try:
        run_in_foreground(
            settings, click.echo, lambda: click.echo(where_to_go(settings, *told)), load=lambda: told.extend(_load_demo_company(settings))
        )
    except CANNOT_START as problem:
        raise click.ClickException(str(problem)) from problem


def _load_demo_company(settings: Settings) -> tuple[str, str, str, str]:
    """How to sign in as its administrator and as the operator; SIP user and password of its last profile: the first is the demo PBX's."""
    open_store()
    from trunkline.store.clock import now
    from trunkline.usecases.demo import load_demo_company
    from trunkline.usecases.demo_people import DemoAccount, load_demo_people

    def told(who: DemoAccount) -> str:
        return f"account {who.account}, " + (f"password {who.password}" if who.password else "the password that you chose")

    company = load_demo_company(now=now(), settings=settings)
    people = load_demo_people(now=now(), settings=settings, manager_id=company.manager_id)
    profile = company.profiles[-1]
    return told(people.administrator), told(people.operator), profile.sip_user, profile.password


def where_to_go(settings: Settings, administrator: str, operator: str, sip_user: str, password: str) -> str:
    return f"""
Trunkline is ready.

  Manager        {manager_url(settings)}
  Sign in        {administrator}
  As operator    {operator}
  SIP            {settings.advertised_address}:{settings.sip_port} by UDP and TCP, {settings.sips_port} by TLS; domain {settings.sip_domain}
  A phone        user {sip_user}, password {password}: register a softphone or PBX with them
  Echo service   dial +1 760 660 4690 from there: it plays back what it hears, free
  A whole call   ./trunkline demo (in another terminal): a real PBX calls, is called, and pays
  A look inside  ./trunkline status, ./trunkline doctor

Ctrl-C ends it."""


def manager_url(settings: Settings) -> str:
    return f"{settings.web_url}/"


COMMANDS = (run, up, down, status)
