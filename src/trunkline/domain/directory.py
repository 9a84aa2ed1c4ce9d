"""What the decision about a call needs to know, as plain values. The store loads them, call control keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from trunkline.domain.destinations import DestinationSet
from trunkline.domain.prefixes import PrefixTable
from trunkline.domain.purses import Purse
from trunkline.domain.rating import Rate


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """The minutes of one paid term, good for calls to `destinations` in [starts_us, ends_us).

    Ledger accounts in seconds: `account_id` has the minutes, `revenue_id` receives what calls use.
    """

    account_id: int
    revenue_id: int
    name: str
    destinations: DestinationSet
    starts_us: int
    ends_us: int

    def covers(self, e164: str, at_us: int) -> bool:
        return self.starts_us <= at_us < self.ends_us and self.destinations.covers(e164)


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """A SIP Profile and what its Manager adds to it. `purse_id`, `revenue_id`, `manager_purse_id`: ledger accounts.

    `bundles`: in the order in which they are drawn on, the one that ends first before the others. `caller_id_by_country`: what calls to a
    country show instead of `caller_id`; nearly always empty.
    """

    profile_id: int
    manager_id: int
    name: str
    sip_user: str
    country: str
    currency: str
    price_list_id: int
    purse_id: int
    revenue_id: int
    channels: int
    suspended: bool = False
    caller_id: str = ""
    caller_id_by_country: Mapping[str, str] = field(default_factory=dict, hash=False)
    numbers: frozenset[str] = frozenset()
    media: str = "relay"
    srtp: str = "auto"
    number_format: str = "e164"
    calls_per_second: int = 20
    max_rate_per_minute_micros: int | None = None
    max_duration_seconds: int = 4 * 3600
    barred_types: frozenset[str] = frozenset()
    barred_destinations: frozenset[str] = frozenset()
    calls_abroad: bool = True
    ip_auth_address: str = ""
    ip_auth_port: int = 0
    manager_purse_id: int = 0
    bundles: tuple[BundleFacts, ...] = ()

    def bundles_for(self, e164: str, at_us: int) -> tuple[BundleFacts, ...]:
        """Those that cover a number now, whether anything is left in them or not."""
        return tuple(bundle for bundle in self.bundles if bundle.covers(e164, at_us))


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a PBX can be reached. `via`: the address that requests are really sent to when it isn't the contact's own (NAT, TCP). `srtp_offered`:
    whether its last own call offered SRTP; None: it has made none yet."""

    contact: str
    via: str = ""
    transport: str = "udp"
    user_agent: str = ""
    srtp_offered: bool | None = None


@dataclass(frozen=True, slots=True)
class CarrierFacts:
    """An upstream gateway."""

    carrier_id: int
    name: str
    host: str
    port: int
    transport: str = "udp"
    auth: tuple[str, str] | None = None
    up: bool = True


@dataclass(frozen=True, slots=True)
class CarrierChoice:
    """A carrier takes numbers of one prefix: smallest priority first, then lowest cost."""

    carrier_id: int
    priority: int
    cost_per_minute_micros: int


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A price list in force."""

    rates: PrefixTable[Rate]
    echo_number: str = ""


@dataclass(slots=True)
class Usage:
    """What changes with every call: purses by account id and channels in use by profile id, as seen in the deciding transaction."""

    purses: Mapping[int, Purse] = field(default_factory=dict)
    channels_in_use: Mapping[int, int] = field(default_factory=dict)

    def available(self, purse_id: int) -> int:
        """What a purse can still pay, micro-units or seconds; nothing, if it is not there."""
        purse = self.purses.get(purse_id)
        return 0 if purse is None else purse.available


class Directory(Protocol):
    """Look-ups that the decision makes. None: there is no such thing."""

    sip_domain: str
    echo_uri: str

    def profile(self, profile_id: int) -> ProfileFacts | None:
        """The profile with this id."""

    def profile_of_number(self, e164: str) -> int | None:
        """The id of the profile that an Online Number is on."""

    def is_platform_number(self, e164: str) -> bool:
        """Whether the number belongs to the platform, on a profile or not."""

    def binding(self, profile_id: int, now_us: int) -> Binding | None:
        """Where the profile's PBX is reached now."""

    def prices(self, price_list_id: int) -> PriceBook:
        """The price list in force."""

    def carrier(self, carrier_id: int) -> CarrierFacts | None:
        """The carrier with this id."""

    def carrier_routes(self) -> PrefixTable[tuple[CarrierChoice, ...]]:
        """Which carriers take which prefixes."""
