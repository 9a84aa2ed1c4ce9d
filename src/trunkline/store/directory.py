"""The directory that decisions look things up in (`domain.directory.Directory`), loaded from the store and kept in memory.

Whoever changes something that is cached here writes a `Change` row in the same transaction; `StoreDirectory.apply` forgets what it names.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from trunkline.domain.destinations import destination_set
from trunkline.domain.directory import Binding, BundleFacts, CarrierChoice, CarrierFacts, PriceBook, ProfileFacts
from trunkline.domain.prefixes import PrefixTable
from trunkline.domain.rating import Rate
from trunkline.domain.routing import carrier_uri
from trunkline.store import sealing
from trunkline.store.ledger import microseconds
from trunkline.store.models import (
    Account,
    CallerIdRule,
    Carrier,
    CarrierRoute,
    Change,
    ClockOffset,
    Manager,
    Number,
    Price,
    PriceList,
    Profile,
    Registration,
    Term,
)

MICROSECONDS = 1_000_000
RENEWAL_LAG = timedelta(minutes=15)
"""So long the clock may be behind with a renewal before calls are paid with money: longer than its restart takes."""
SECONDS_OF_BUNDLES = "SEC"
OPEN_BUNDLES = Term.objects.filter(kind=Term.Kind.BUNDLE, ended_at=None)


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as it is kept in memory."""

    contact: str
    source: str
    expires_us: int
    user_agent: str = ""
    srtp_offered: bool | None = None

    @classmethod
    def of(cls, row: Registration) -> Registered:
        return cls(row.contact, row.source, row.expires_us, row.user_agent, row.srtp_offered)

    def binding(self) -> Binding:
        """Where to send a request: where the REGISTER came from. That is the connection, the pinhole, or, of a directly connected PBX, what its
        Contact says. A name in a Contact could lead anywhere."""
        transport, address = self.source.split(":", 1)
        suffix = "" if transport == "udp" else f";transport={transport}"
        return Binding(self.contact, f"sip:{address}{suffix}", transport, self.user_agent, self.srtp_offered)


class StoreDirectory:
    """Profiles are loaded when first needed; numbers, prices and carriers at once."""

    def __init__(self, *, sip_domain: str, echo_uri: str, now_us: int) -> None:
        self.sip_domain = sip_domain
        self.echo_uri = echo_uri
        self.registrations: dict[int, Registered] = {}
        self._profiles: dict[int, ProfileFacts | None] = {}
        self._price_books: dict[int, PriceBook] = {}
        self._revenue_ids: dict[str, int] = {}
        self._numbers: dict[str, int | None] = {}
        self._carriers: dict[int, CarrierFacts] = {}
        self.probed: list[tuple[int, str]] = []
        self._carrier_routes: PrefixTable[tuple[CarrierChoice, ...]] = PrefixTable()
        self._prices_change_us: int | None = None
        self._load_numbers()
        self._load_carriers()
        self._now_us = now_us

    # What a decision looks up

    def profile(self, profile_id: int) -> ProfileFacts | None:
        if profile_id not in self._profiles:
            self._profiles[profile_id] = self._load_profile(profile_id)
        return self._profiles[profile_id]

    def profile_of_number(self, e164: str) -> int | None:
        return self._numbers.get(e164)

    def is_platform_number(self, e164: str) -> bool:
        return e164 in self._numbers

    def binding(self, profile_id: int, now_us: int) -> Binding | None:
        registered = self.registrations.get(profile_id)
        if registered is not None and registered.expires_us > now_us:
            return registered.binding()
        profile = self.profile(profile_id)
        if profile is None or not profile.ip_auth_address:
            return None
        host = f"[{profile.ip_auth_address}]" if ":" in profile.ip_auth_address else profile.ip_auth_address
        return Binding(f"sip:{host}:{profile.ip_auth_port}")

    def prices(self, price_list_id: int) -> PriceBook:
        if price_list_id not in self._price_books:
            self._price_books[price_list_id] = self._load_prices(price_list_id)
        return self._price_books[price_list_id]

    def carrier(self, carrier_id: int) -> CarrierFacts | None:
        return self._carriers.get(carrier_id)

    def carrier_routes(self) -> PrefixTable[tuple[CarrierChoice, ...]]:
        return self._carrier_routes

    # What keeps it true

    def tick(self, now_us: int) -> None:
        """Prices come into force and go out of it as time passes."""
        self._now_us = now_us
        if self._prices_change_us is not None and now_us >= self._prices_change_us:
            self._forget_prices()

    def apply(self, what: str, ident: str) -> None:
        """Something was changed: forget it."""
        match what:
            case Change.What.PROFILE if ident:
                self._profiles.pop(int(ident), None)
            case Change.What.PROFILE | Change.What.MANAGER:
                self._profiles.clear()
            case Change.What.NUMBERS:
                self._profiles.clear()
                self._load_numbers()
            case Change.What.PRICES:
                self._forget_prices()
            case Change.What.CARRIERS:
                self._load_carriers()
            case Change.What.SOURCE:
                self._profiles.clear()

    def set_carrier_health(self, carrier_id: int, *, up: bool) -> None:
        """A probe changed its mind."""
        carrier = self._carriers.get(carrier_id)
        if carrier is not None:
            self._carriers[carrier_id] = CarrierFacts(
                carrier.carrier_id, carrier.name, carrier.host, carrier.port, carrier.transport, carrier.auth, up
            )

    def load_registrations(self, rows: list[tuple[Any, ...]]) -> None:
        """At start: what is registered, in `hotpath.REGISTRATION_COLUMNS` order."""
        for profile_id, contact, source, _, _, user_agent, *_, expires_us, _, _, srtp_offered in rows:
            offered = None if srtp_offered is None else bool(srtp_offered)
            self.registrations[profile_id] = Registered(contact, source, expires_us, user_agent, offered)

    # Loading

    def _load_profile(self, profile_id: int) -> ProfileFacts | None:
        known = Profile.objects.select_related("manager").exclude(state=Profile.State.DELETED)
        has_bundles = Exists(OPEN_BUNDLES.filter(profile=OuterRef("pk")))
        has_caller_ids = Exists(CallerIdRule.objects.filter(profile=OuterRef("pk")))
        profile = known.annotate(has_bundles=has_bundles, has_caller_ids=has_caller_ids).filter(id=profile_id).first()
        if profile is None:
            return None
        manager = profile.manager
        return ProfileFacts(
            profile_id=profile.id,
            manager_id=manager.id,
            name=profile.name,
            sip_user=profile.sip_user,
            country=manager.country,
            currency=manager.currency,
            price_list_id=manager.price_list_id,
            purse_id=profile.account_id,
            revenue_id=self._revenue_id(manager.currency),
            channels=profile.channels,
            suspended=profile.state == Profile.State.SUSPENDED or manager.state == Manager.State.SUSPENDED,
            caller_id=profile.caller_id,
            caller_id_by_country=_caller_ids(profile_id) if profile.has_caller_ids else {},
            numbers=frozenset(_numbers_of(profile_id)),
            media=profile.media,
            srtp=profile.srtp,
            number_format=profile.number_format,
            calls_per_second=profile.pace,
            max_rate_per_minute_micros=profile.max_rate_per_minute_micros,
            max_duration_seconds=profile.max_duration_seconds,
            barred_types=frozenset(profile.barred_types),
            barred_destinations=frozenset(profile.barred_destinations),
            calls_abroad=profile.calls_abroad,
            ip_auth_address=profile.ip_auth_address or "",
            ip_auth_port=profile.ip_auth_port or 0,
            manager_purse_id=manager.account_id,
            bundles=self._load_bundles(profile_id) if profile.has_bundles else (),
        )

    def _load_bundles(self, profile_id: int) -> tuple[BundleFacts, ...]:
        """A test system's clock is ahead of that of calls: their terms begin and end so much earlier for us."""
        ahead_us = ClockOffset.objects.values_list("offset_us", flat=True).first() or 0
        terms = OPEN_BUNDLES.filter(profile=profile_id).select_related("product").order_by("ends_at", "id")
        return tuple(_bundle_facts(term, self._revenue_id(SECONDS_OF_BUNDLES), ahead_us) for term in terms)

    def _revenue_id(self, currency: str) -> int:
        if currency not in self._revenue_ids:
            self._revenue_ids[currency] = Account.objects.get(kind=Account.Kind.REVENUE, currency=currency).id
        return self._revenue_ids[currency]

    def _load_numbers(self) -> None:
        """A number is on a profile, or of a business account that is on one (SPEC R7.2)."""
        self._numbers = dict(Number.objects.values_list("e164", Coalesce("profile_id", "account__profile_id")))

    def _load_carriers(self) -> None:
        carriers = Carrier.objects.filter(enabled=True)
        self._carriers = {carrier.id: _carrier_facts(carrier) for carrier in carriers}
        self.probed = [(carrier.id, carrier_uri(self._carriers[carrier.id])) for carrier in carriers if carrier.probe]
        choices: dict[str, list[CarrierChoice]] = defaultdict(list)
        for route in CarrierRoute.objects.filter(carrier__enabled=True):
            choices[route.prefix].append(CarrierChoice(route.carrier_id, route.priority, route.cost_per_minute_micros))
        self._carrier_routes = PrefixTable((prefix, tuple(found)) for prefix, found in choices.items())

    def _load_prices(self, price_list_id: int) -> PriceBook:
        now = datetime.fromtimestamp(self._now_us / MICROSECONDS, tz=UTC)
        price_list = PriceList.objects.get(id=price_list_id)
        known = price_list.prices.filter(Q(effective_until=None) | Q(effective_until__gt=now)).order_by("effective_from")
        rates: dict[str, Rate] = {}
        for price in known.iterator():
            if price.effective_from <= now:
                rates[price.prefix] = rate_of(price, price_list.currency)
            self._note_price_change(price, now)
        return PriceBook(PrefixTable(rates.items()), price_list.echo_number)

    def _note_price_change(self, price: Price, now: datetime) -> None:
        for moment in (price.effective_from, price.effective_until):
            if moment is not None and moment > now:
                moment_us = int(moment.timestamp()) * MICROSECONDS
                self._prices_change_us = min(moment_us, self._prices_change_us or moment_us)

    def _forget_prices(self) -> None:
        self._price_books.clear()
        self._prices_change_us = None


def _bundle_facts(term: Term, revenue_id: int, ahead_us: int) -> BundleFacts:
    product = term.product
    assert product is not None, "a constraint of the store"
    assert term.minutes_id is not None, "a constraint of the store"
    return BundleFacts(
        account_id=term.minutes_id,
        revenue_id=revenue_id,
        name=product.name,
        destinations=destination_set(product.country, product.excluded_prefixes, product.excluded_types),
        starts_us=microseconds(term.starts_at) - ahead_us,
        ends_us=microseconds(_usable_until(term)) - ahead_us,
    )


def _usable_until(term: Term) -> datetime:
    """A term that renews and is not known to be unpaid is good until its renewal has been settled: a call in those seconds has its minutes."""
    return term.ends_at + RENEWAL_LAG if term.renews and term.unpaid_since is None else term.ends_at


def _numbers_of(profile_id: int) -> list[str]:
    """Two indexed look-ups: an OR over the join would read all numbers."""
    own = Number.objects.filter(profile_id=profile_id).values_list("e164", flat=True)
    return list(own.union(Number.objects.filter(account__profile_id=profile_id).values_list("e164", flat=True)))


def _caller_ids(profile_id: int) -> dict[str, str]:
    return dict(CallerIdRule.objects.filter(profile_id=profile_id).values_list("country", "e164"))


def _carrier_facts(carrier: Carrier) -> CarrierFacts:
    auth = (carrier.auth_user, sealing.unseal(carrier.auth_password_sealed)) if carrier.auth_user else None
    return CarrierFacts(carrier.id, carrier.name, carrier.host, carrier.port, carrier.transport, auth, carrier.up)


def rate_of(price: Price, currency: str) -> Rate:
    return Rate(
        price.prefix,
        price.destination,
        currency,
        price.rate_per_minute_micros,
        price.connection_fee_micros,
        price.first_increment_seconds,
        price.next_increment_seconds,
    )


def credentials_of(sip_user: str, now: datetime) -> tuple[int, list[str], datetime | None] | None:
    """Profile id, valid HA1s (current first) and the end of the old one, or None for an unknown user."""
    profile = Profile.objects.filter(sip_user=sip_user).exclude(state=Profile.State.DELETED).first()
    if profile is None:
        return None
    if profile.old_ha1 and profile.old_valid_until is not None and profile.old_valid_until > now:
        return profile.id, [profile.ha1, profile.old_ha1], profile.old_valid_until
    return profile.id, [profile.ha1], None


def source_of(address: str, port: int) -> tuple[str, int]:
    """Who sends from an address: `carrier` (any port), `profile` (address and port), or `none`."""
    ip = str(ipaddress.ip_address(address))
    profile = Profile.objects.filter(ip_auth_address=ip, ip_auth_port=port).exclude(state=Profile.State.DELETED).first()
    if profile is not None:
        return "profile", profile.id
    carrier = Carrier.objects.filter(enabled=True, host=ip).order_by("id").first()
    return ("carrier", carrier.id) if carrier is not None else ("none", 0)


def contact_of(profile_id: int, now_us: int) -> tuple[str, int] | None:
    """Contact and end of a profile's registration."""
    row = Registration.objects.filter(profile_id=profile_id, expires_us__gt=now_us).first()
    return (row.contact, row.expires_us) if row is not None else None
