"""The directory for a question about one number: only what concerns that number is read, however long price lists and stocks are."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models.functions import Coalesce

from trunkline.domain.directory import PriceBook
from trunkline.domain.prefixes import PrefixTable
from trunkline.store.directory import MICROSECONDS, StoreDirectory, rate_of
from trunkline.store.models import Number, PriceList
from trunkline.store.queries import prices_in_force


class NarrowDirectory(StoreDirectory):
    """`number`: E.164 digits; empty: none is known."""

    def __init__(self, number: str, *, sip_domain: str, echo_uri: str, now_us: int) -> None:
        self.number = number
        super().__init__(sip_domain=sip_domain, echo_uri=echo_uri, now_us=now_us)

    def _load_numbers(self) -> None:
        mine = Number.objects.filter(e164=self.number)
        self._numbers = dict(mine.values_list("e164", Coalesce("profile_id", "account__profile_id")))

    def _load_prices(self, price_list_id: int) -> PriceBook:
        now = datetime.fromtimestamp(self._now_us / MICROSECONDS, tz=UTC)
        price_list = PriceList.objects.get(id=price_list_id)
        prefixes = [self.number[:length] for length in range(1, len(self.number) + 1)]
        known = prices_in_force(price_list_id, now).filter(prefix__in=prefixes).order_by("effective_from")
        rates = {price.prefix: rate_of(price, price_list.currency) for price in known}
        return PriceBook(PrefixTable(rates.items()), price_list.echo_number)
