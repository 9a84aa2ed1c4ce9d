"""What the operator sells by the month: calling channels and minute bundles, as part of a price list (SPEC R3, R5.1)."""

from __future__ import annotations

import re
from datetime import datetime

from trunkline.domain.destinations import destination_set
from trunkline.domain.errors import Invalid
from trunkline.domain.money import check_rate
from trunkline.domain.names import check_name
from trunkline.store.models import BundleProduct, Change, PriceList
from trunkline.store.work import By, work

MOST_MINUTES = 1_000_000
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def set_channel_price(*, now: datetime, by: By, price_list_id: int, price_micros: int | None) -> None:
    """Of one channel for 30 days. What runs keeps its price until it is renewed. None: not sold, and not renewed."""
    if price_micros is not None:
        check_rate(price_micros, "channel_price")
    with work(now=now, by=by) as doing:
        price_list = doing.locks.one(PriceList, price_list_id)
        before, price_list.channel_price_micros = {"channel_price_micros": price_list.channel_price_micros}, price_micros
        price_list.save(update_fields=["channel_price_micros"])
        after = {"channel_price_micros": price_micros}
        doing.audit("price_list.channel_price", f"price list {price_list_id}", before=before, after=after)
        doing.changed(Change.What.PRICES)


def set_bundle_product(
    *,
    now: datetime,
    by: By,
    price_list_id: int,
    code: str,
    name: str,
    minutes: int,
    price_micros: int,
    country: str,
    excluded_prefixes: str = "",
    excluded_types: tuple[str, ...] = (),
    sold: bool = True,
) -> int:
    """Make a product, or change the one of this code; returns its id. Bundles that run keep their minutes and price until they are renewed.

    `country`: the numbers that lie in it, without those of `excluded_types` and those in the list `excluded_prefixes`.
    Not `sold`: nobody can buy it any more, those who have it may renew it.
    """
    _check(code, minutes, price_micros)
    destination_set(country, excluded_prefixes, excluded_types)
    about = {
        "name": check_name(name, "name", longest=80),
        "minutes": minutes,
        "price_micros": price_micros,
        "country": country,
        "excluded_prefixes": excluded_prefixes,
        "excluded_types": sorted(set(excluded_types)),
        "sold": sold,
    }
    with work(now=now, by=by) as doing:
        doing.locks.one(PriceList, price_list_id)
        product, _ = BundleProduct.objects.update_or_create(price_list_id=price_list_id, code=code, defaults=about)
        doing.audit("price_list.bundle", f"bundle product {product.pk}", after=about | {"code": code})
        doing.changed(Change.What.PROFILE)  # everybody's: a change of what it covers counts at once
    return product.pk


def _check(code: str, minutes: int, price_micros: int) -> None:
    if not _CODE.fullmatch(code):
        raise Invalid("code", f"{code[:40]!r} can't be a code: use small letters, digits and dashes, such as us-5000.")
    if not 1 <= minutes <= MOST_MINUTES:
        raise Invalid("minutes", f"A bundle has 1 to {MOST_MINUTES} minutes.")
    check_rate(price_micros, "price")
