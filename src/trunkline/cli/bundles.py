"""`./trunkline bundles ...`: minutes to a country for 30 days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from trunkline.cli.store import StoreGroup, acting, json_option, show, table
from trunkline.cli.subscriptions import bought_lines, moment, offer_facts, offer_lines, reference_option
from trunkline.domain.money import for_people


@click.group(cls=StoreGroup)
def bundles() -> None:
    """Minute bundles of a SIP Profile (its id, SIP user or name). CODE names the bundle, such as us-5000."""


@bundles.command("list")
@click.argument("profile")
@json_option
def list_all(profile: str, *, as_json: bool) -> None:
    """What can be bought, and what runs."""
    from trunkline.store.models import BundleProduct, Term
    from trunkline.store.queries import profile_named

    found = profile_named(profile)
    running = Term.objects.filter(profile=found, kind="bundle", ended_at=None).select_related("minutes")
    mine = {term.product_id: term for term in running}
    columns = ("code", "name", "minutes", "price", "bought", "minutes_left", "until", "renews")
    rows = [_row(product, mine.get(product.pk)) for product in BundleProduct.objects.filter(price_list=found.manager.price_list_id)]
    show(as_json, [dict(zip(columns, row, strict=True)) for row in rows], lambda: table(columns, rows))


@bundles.command()
@click.argument("profile")
@click.argument("code")
@click.argument("number", type=int)
@json_option
def preview(profile: str, code: str, number: int, *, as_json: bool) -> None:
    """What buying NUMBER bundles, or changing to them, would cost. Changes nothing."""
    from trunkline.usecases.bundles import preview_bundles

    _, about = _meant(profile, code)
    offer = preview_bundles(now=acting()["now"], **about, quantity=number)
    show(as_json, offer_facts(offer), lambda: offer_lines(offer, f"x {code}"))


@bundles.command()
@click.argument("profile")
@click.argument("code")
@click.argument("number", type=int)
@reference_option
@json_option
def buy(profile: str, code: str, number: int, *, reference: str, as_json: bool) -> None:
    """At most as many as there are channels."""
    from trunkline.usecases.bundles import buy_bundles

    _take(buy_bundles, profile, code, number, reference, as_json=as_json)


@bundles.command()
@click.argument("profile")
@click.argument("code")
@click.argument("number", type=int)
@reference_option
@json_option
def change(profile: str, code: str, number: int, *, reference: str, as_json: bool) -> None:
    """To NUMBER bundles: what is unused is refunded, new minutes for 30 days begin at once."""
    from trunkline.usecases.bundles import change_bundles

    _take(change_bundles, profile, code, number, reference, as_json=as_json)


@bundles.command()
@click.argument("profile")
@click.argument("code")
@click.option("--at-once", is_flag=True, help="End them now, and be refunded for what is unused.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def cancel(profile: str, code: str, *, at_once: bool, yes: bool, as_json: bool) -> None:
    """Don't renew them; their minutes can be used until the end of what is paid."""
    from trunkline.usecases.bundles import cancel_bundles, preview_bundle_cancellation

    currency, about = _meant(profile, code)
    planned = preview_bundle_cancellation(now=acting()["now"], **about)
    if not yes:
        refund = for_people(planned.refund_micros, currency)
        how = f"They end now, {refund} is refunded." if at_once else f"They end on {moment(planned.ends_at)}."
        click.confirm(f"{how} Cancel them?", abort=True, err=True)
    done = cancel_bundles(**acting(), **about, at_once=at_once)
    ended = f"Ended; {for_people(done.refund_micros, currency)} refunded."
    show(as_json, done, lambda: [ended if at_once else f"Cancelled. They can be used until {moment(done.ends_at)}."])


@bundles.command()
@click.argument("profile")
@click.argument("code")
@json_option
def extend(profile: str, code: str, *, as_json: bool) -> None:
    """Take a cancellation back."""
    from trunkline.usecases.bundles import extend_bundles

    done = extend_bundles(**acting(), **_meant(profile, code)[1])
    show(as_json, done, lambda: [f"The next payment is on {moment(done.ends_at)}."])


def _take(do: Callable[..., Any], profile: str, code: str, number: int, reference: str, *, as_json: bool) -> None:
    currency, about = _meant(profile, code)
    bought = do(**acting(), **about, quantity=number, reference=reference)
    show(as_json, bought, lambda: bought_lines(bought, f"x {code}", currency))


def _meant(profile: str, code: str) -> tuple[str, dict[str, Any]]:
    """The currency, and what a use case wants to know."""
    from trunkline.store.queries import bundle_named, profile_named

    found = profile_named(profile)
    return found.account.currency, {"profile_id": found.pk, "product_id": bundle_named(found.manager.price_list_id, code).pk}


def _row(product: Any, term: Any) -> tuple[Any, ...]:
    price = for_people(product.price_micros, product.price_list.currency)
    about = (product.code, product.name, product.minutes, price)
    if term is None:
        return (*about, 0, 0, "", "")
    return (*about, term.quantity, (term.minutes.balance - term.minutes.held) // 60, moment(term.ends_at), "yes" if term.renews else "no")


COMMANDS = (bundles,)
