"""`./trunkline clock ...`: the time of the instance, and what it has brought."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from trunkline.cli.store import StoreGroup, json_option, show
from trunkline.runtime.beat import read_beat
from trunkline.runtime.settings import Settings

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Duration(click.ParamType[timedelta]):
    """30d, 12h, 90m, 2w."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = re.fullmatch(r"([0-9]{1,5})([mhdw])", value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is not a duration: write it like 30d, 12h, 90m or 2w.", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.group(cls=StoreGroup)
def clock() -> None:
    """The time of this instance. On a test system it can be put forward."""


@clock.command("show")
@json_option
@click.pass_obj
def show_time(settings: Settings, *, as_json: bool) -> None:
    """The time, how far it is ahead of the real one, and what the clock process has done."""
    from trunkline.store.clock import now, offset
    from trunkline.store.outbox import given_up

    beat = read_beat(settings.clock_beat)
    facts = {
        "now": _moment(now()),
        "ahead_seconds": int(offset().total_seconds()),
        "test_system": settings.test_clock,
        "clock_alive": beat is not None,
        "sweeps": {name: {"done": sweep.done, "failed": sweep.failed} for name, sweep in beat.sweeps.items()} if beat else {},
        "mails_given_up": given_up().count(),
    }
    show(as_json, facts, lambda: _in_words(facts))


@clock.command()
@click.argument("duration", type=Duration())
@click.option("--even-with-calls", is_flag=True, help="Calls keep the real time.")
@json_option
@click.pass_obj
def advance(settings: Settings, duration: timedelta, *, even_with_calls: bool, as_json: bool) -> None:
    """Put the clock of a test system forward by DURATION (30d, 12h, 90m), and do on the way what falls due."""
    from trunkline.clock.forward import put_forward

    done = put_forward(duration, is_test_system=settings.test_clock, even_with_calls=even_with_calls)
    facts = {"now": _moment(done.now), "stops": done.stops, "done": done.done, "failed": done.failed}
    words = ", ".join(f"{count} {name}" for name, count in done.done.items()) or "nothing fell due"
    show(
        as_json, facts, lambda: [f"It is {facts['now']}: {words}.", *([f"{done.failed} sweeps failed: see above."] if done.failed else [])]
    )
    click.get_current_context().exit(1 if done.failed else 0)


def _in_words(facts: dict[str, Any]) -> list[str]:
    ahead = timedelta(seconds=facts["ahead_seconds"])
    lines = [f"It is {facts['now']}" + (f", {ahead} ahead of the real time." if ahead else ", the real time.")]
    lines.append("The clock process is alive." if facts["clock_alive"] else "No clock process runs in this home.")
    lines += [f"  {name:14} {sweep['done']} done, {sweep['failed']} failed" for name, sweep in facts["sweeps"].items()]
    if facts["mails_given_up"]:
        lines.append(f"{facts['mails_given_up']} mails could not be sent: `mail list --given-up`.")
    return lines


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


COMMANDS = (clock,)
