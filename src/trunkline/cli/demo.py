"""`./trunkline demo`: real calls by a real PBX, from registration to ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

import click
import msgspec

from trunkline.cli.store import open_store
from trunkline.lab.steps import Step
from trunkline.runtime.engine_root import EngineError, ensure_root
from trunkline.runtime.instance import prepare, run_detached
from trunkline.runtime.settings import Settings, SettingsError
from trunkline.runtime.status import AlreadyRunningError, bring_down, read_status
from trunkline.runtime.supervisor import StartError

say = partial(click.echo, err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
@click.pass_context
def demo(context: click.Context, *, as_json: bool) -> None:
    """Show everything at work: a PBX registers, calls the echo number and a landline, is called, and pays.

    Uses the instance that runs, or starts one for the while. Exit status 1 if a step failed.
    """
    done = []
    with ExitStack() as started:
        for step in perform(context.obj, started):
            done.append(step)
            if not as_json:
                click.echo(shown(step))
    ok = all(step.ok for step in done)
    if as_json:
        click.echo(msgspec.json.encode({"ok": ok, "steps": [asdict(step) for step in done]}))
    context.exit(0 if ok else 1)


def perform(settings: Settings, started: ExitStack) -> Iterator[Step]:
    """What is started for the demo is ended with `started`."""
    try:
        lab_root = ensure_root("lab", say) if settings.engine == "root" else None
        running = read_status(settings).running
        if not running:
            prepare(settings, say)
        open_store()
        from trunkline.lab.demonstration import Demonstration
        from trunkline.store.clock import now
        from trunkline.usecases.demo import load_demo_company

        company = load_demo_company(now=now(), settings=settings)
        if not running:
            run_detached(settings, say)
            started.callback(lambda: asyncio.run(bring_down(settings)))
    except (AlreadyRunningError, EngineError, SettingsError, StartError) as problem:
        yield Step("instance", ok=False, detail=str(problem))
        return
    yield Step("instance", ok=True, detail="it runs" if running else "started for this demo")
    yield from Demonstration(settings, company, lab_root).steps()


def shown(step: Step) -> str:
    first, *others = step.detail.splitlines() or [""]
    mark = click.style("ok    ", fg="green") if step.ok else click.style("FAILED", fg="red")
    return "\n".join([f"{mark} {step.name:14} {first}", *(f"{'':21} {line}" for line in others)])


COMMANDS = (demo,)
