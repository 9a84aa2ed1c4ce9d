"""`./trunkline channels ...` and `./trunkline renew`: what runs for 30 days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import click

from trunkline.cli.store import StoreCommand, StoreGroup, acting, json_option, show, table
from trunkline.domain.money import for_people

reference_option = click.option("--reference", default="", help="Repeating the command with the same reference does nothing.")


@click.group(cls=StoreGroup)
def channels() -> None:
    """Calling channels of a SIP Profile (its id, SIP user or name), paid from the Manager's Credit for 30 days."""


@channels.command()
@click.argument("profile")
@click.argument("number", type=int)
@json_option
def preview(profile: str, number: int, *, as_json: bool) -> None:
    """What buying NUMBER channels, or changing to them, would cost. Changes nothing."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.subscriptions import preview_channels

    offer = preview_channels(now=acting()["now"], profile_id=profile_named(profile).pk, channels=number)
    show(as_json, offer_facts(offer), lambda: offer_lines(offer, "calling channels"))


@channels.command()
@click.argument("profile")
@click.argument("number", type=int)
@reference_option
@json_option
def buy(profile: str, number: int, *, reference: str, as_json: bool) -> None:
    """Subscribe to NUMBER channels; above 100 they are sold by tens."""
    from trunkline.usecases.subscriptions import buy_channels

    _take(buy_channels, profile, number, reference, as_json=as_json)


@channels.command()
@click.argument("profile")
@click.argument("number", type=int)
@reference_option
@json_option
def change(profile: str, number: int, *, reference: str, as_json: bool) -> None:
    """To NUMBER channels: the unused part is refunded, 30 days begin at once. Once a day."""
    from trunkline.usecases.subscriptions import change_channels

    _take(change_channels, profile, number, reference, as_json=as_json)


@channels.command()
@click.argument("profile")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def cancel(profile: str, *, yes: bool, as_json: bool) -> None:
    """Don't renew them; they can be used until the end of what is paid."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.subscriptions import cancel_channels, preview_channel_cancellation

    found = profile_named(profile)
    planned = preview_channel_cancellation(now=acting()["now"], profile_id=found.pk)
    for warning in planned.warnings:
        click.echo(warning, err=True)
    if not yes:
        click.confirm(f"The channels of {found.name} end on {moment(planned.ends_at)}. Cancel them?", abort=True, err=True)
    done = cancel_channels(**acting(), profile_id=found.pk)
    show(as_json, done, lambda: [f"Cancelled. They can be used until {moment(done.ends_at)}."])


@channels.command()
@click.argument("profile")
@json_option
def undo(profile: str, *, as_json: bool) -> None:
    """Take a cancellation back."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.subscriptions import undo_cancel_channels

    done = undo_cancel_channels(**acting(), profile_id=profile_named(profile).pk)
    show(as_json, done, lambda: [f"They are renewed on {moment(done.ends_at)}."])


@channels.command()
@click.option("--employees", type=int, help="How many people the company has.")
@click.option("--busy-minutes", type=int, help="Of talk in the busiest hour, all calls together.")
@click.option("--profile", help="By this SIP Profile's own calls of the last 30 days.")
@click.option("--blocked", default="0.01", show_default=True, help="The share of calls that may find no channel.")
@json_option
def advise(employees: int | None, busy_minutes: int | None, profile: str | None, *, blocked: str, as_json: bool) -> None:
    """How many channels are needed? Without an option: by number of employees, as a table."""
    from trunkline.domain.advisor import advise_by_employees, advise_by_traffic, guideline
    from trunkline.store.queries import profile_named
    from trunkline.usecases.advice import advise_by_records

    if profile is not None:
        advice = advise_by_records(now=acting()["now"], profile_id=profile_named(profile).pk)
    elif busy_minutes is not None:
        advice = advise_by_traffic(busy_minutes * 60, _share(blocked))
    elif employees is not None:
        advice = advise_by_employees(employees)
    else:
        rows = guideline()
        show(as_json, rows, lambda: table(("employees", "channels"), rows))
        return
    show(as_json, advice, lambda: [f"{advice.channels or 'More than 300: make several profiles'}: {advice.words}."])


@click.command(cls=StoreCommand)
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True)
@json_option
def renew(*, limit: int, as_json: bool) -> None:
    """Renew, or end, all that is due, as the clock process does by itself. What can't be paid waits three days, then lapses."""
    from trunkline.usecases.renewals import renew_due

    done = renew_due(**acting(), limit=limit, recharge=_nobody)
    more = " More is due: run it again." if done.more else ""
    show(
        as_json,
        done,
        lambda: [f"{done.renewed} renewed, {done.ended} ended, {done.lapsed} lapsed, {done.unpaid} wait for a payment.{more}"],
    )


@dataclass(frozen=True)
class _Later:
    outcome: str = "later"


def _nobody(**_: Any) -> _Later:
    """Auto-recharge is the clock's."""
    return _Later()


def _take(do: Callable[..., Any], profile: str, number: int, reference: str, *, as_json: bool) -> None:
    from trunkline.store.queries import profile_named

    found = profile_named(profile)
    bought = do(**acting(), profile_id=found.pk, channels=number, reference=reference)
    show(as_json, bought, lambda: bought_lines(bought, "calling channels", found.account.currency))


def offer_facts(offer: Any) -> dict[str, Any]:
    names = (
        "asked",
        "quantity",
        "price_micros",
        "refund_micros",
        "to_pay_micros",
        "currency",
        "starts_at",
        "ends_at",
        "balance_after_micros",
    )
    return {name: getattr(offer, name) for name in names} | {"problems": offer.problems, "warnings": offer.warnings}


def offer_lines(offer: Any, what: str) -> Iterator[str]:
    yield f"{offer.quantity} {what}" + (f" ({offer.asked} were asked for)" if offer.asked != offer.quantity else "")
    yield f"Price        {for_people(offer.price_micros, offer.currency)} until {moment(offer.ends_at)}"
    yield f"Refund       {for_people(offer.refund_micros, offer.currency)}"
    yield f"To pay       {for_people(offer.to_pay_micros, offer.currency)}"
    yield f"Credit then  {for_people(offer.balance_after_micros, offer.currency)}"
    yield from (f"Note: {warning}" for warning in offer.warnings)
    yield from (f"Not possible: {problem}" for problem in offer.problems)


def bought_lines(bought: Any, what: str, currency: str) -> Iterator[str]:
    if bought.repeated:
        yield "Bought before under this reference: nothing happened this time."
    yield f"{bought.quantity} {what} for {for_people(bought.price_micros, currency)}, renewed on {moment(bought.ends_at)}."
    if bought.refund_micros:
        yield f"{for_people(bought.refund_micros, currency)} refunded for what was unused."
    yield f"The Manager's Credit is {for_people(bought.balance_micros, currency)}."


def moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _share(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise click.UsageError(f"{text[:20]!r} is not a share: write it like 0.01.") from None


COMMANDS = (channels, renew)
