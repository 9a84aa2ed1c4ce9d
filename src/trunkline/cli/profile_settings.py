"""`./trunkline profile set`: everything that can be changed on a SIP Profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreCommand, acting


@click.command("set", cls=StoreCommand)
@click.argument("profile")
@click.option("--name")
@click.option("--channels", type=int, help="How many calls at once.")
@click.option("--caller-id", help="A number on the profile; empty: anonymous.")
@click.option("--media", help="relay or direct")
@click.option("--srtp", help="auto, force or forbid")
@click.option("--number-format", help="e164, plus or national: how called numbers are written to the PBX")
@click.option("--calls-per-second", type=int, help="At most; the company may choose fewer.")
@click.option("--max-duration-seconds", type=int, help="When a call is ended at the latest.")
@click.option("--max-rate", help="Dearer calls (per minute) are barred; `none`: no limit.")
@click.option("--bar", "barred_types", help="Number types switched off, divided by commas; empty: none.")
@click.option("--bar-destinations", "barred_destinations", help="Countries and beginnings switched off, such as CU,+4470; empty: none.")
@click.option("--calls-abroad", type=bool, help="yes, or no: only numbers in the Manager's country.")
def set_values(profile: str, **given: Any) -> None:
    """Change what is given, leave the rest."""
    from trunkline.store.queries import profile_named

    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        raise click.UsageError("Say what to change: see --help.")
    found = profile_named(profile)
    for name, action in _SETTERS.items():
        if mine := {key: wanted[key] for key in name if key in wanted}:
            action(found.pk, **mine)
    click.echo(f"{found.name}: {', '.join(wanted)} set.")


def _rename(profile_id: int, name: str) -> None:
    from trunkline.usecases.profiles import rename_profile

    rename_profile(**acting(), profile_id=profile_id, name=name)


def _channels(profile_id: int, channels: int) -> None:
    from trunkline.usecases.profiles import grant_channels

    grant_channels(**acting(), profile_id=profile_id, channels=channels)


def _caller_id(profile_id: int, caller_id: str) -> None:
    from trunkline.usecases.profiles import set_caller_id

    set_caller_id(**acting(), profile_id=profile_id, caller_id=caller_id)


def _media(profile_id: int, **given: Any) -> None:
    from trunkline.usecases.profiles import set_media

    set_media(**acting(), profile_id=profile_id, **given)


def _number_format(profile_id: int, number_format: str) -> None:
    from trunkline.usecases.profiles import set_number_format

    set_number_format(**acting(), profile_id=profile_id, number_format=number_format)


def _limits(profile_id: int, **given: Any) -> None:
    from trunkline.usecases.profiles import set_limits

    for name in {"barred_types", "barred_destinations"} & given.keys():
        given[name] = tuple(filter(None, (each.strip() for each in given[name].split(","))))
    set_limits(**acting(), profile_id=profile_id, **given)


def _max_rate(profile_id: int, max_rate: str) -> None:
    from trunkline.usecases.profiles import set_max_rate

    limit = None if max_rate == "none" else AMOUNT.convert(max_rate, None, None)
    set_max_rate(**acting(), profile_id=profile_id, max_rate_per_minute_micros=limit)


# Options → the use case that takes them; each is a transaction and an audit entry of its own.
_SETTERS: dict[tuple[str, ...], Callable[..., None]] = {
    ("name",): _rename,
    ("channels",): _channels,
    ("caller_id",): _caller_id,
    ("media", "srtp"): _media,
    ("number_format",): _number_format,
    ("calls_per_second", "max_duration_seconds", "barred_types", "barred_destinations", "calls_abroad"): _limits,
    ("max_rate",): _max_rate,
}
