"""The one decision about a call (SPEC R6, R7; DESIGN D4): may this attempt go on, who pays, which channels does it take, where does it go?

`decide` serves the INVITE, "can I call this?", the API and the simulator. It changes nothing: it looks at what it is handed and
returns a `Decision` with its trace, the answer to "why" that is kept with every attempt (SPEC R13). Whoever acts on the decision
takes the hold and the channels in the same transaction in which `usage` was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trunkline.domain import emergency, numbers
from trunkline.domain.barring import why_barred
from trunkline.domain.caller_id import CallerId, set_caller_id
from trunkline.domain.directory import BundleFacts, Directory, PriceBook, ProfileFacts, Usage
from trunkline.domain.media_encryption import towards_pbx, unacceptable
from trunkline.domain.rating import Rate
from trunkline.domain.refusals import REFUSALS, Refusal
from trunkline.domain.routing import Route, carrier_routes, echo_route, pbx_routes

RING_SECONDS = 180
"""How long a call may ring: RFC 3261 16.6 wants more than three minutes at most, telephone networks give up at two to three."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An INVITE as the edge reports it, or a dry run. Numbers as sent. `from_kind` is `profile` or `carrier`, already proved."""

    from_kind: str
    from_id: int
    dialled: str
    at_us: int
    caller: str = ""
    asserted: str = ""
    anonymous: bool = False
    srtp_offered: bool = False
    too_fast: bool = False


@dataclass(slots=True)
class Decision:
    """The outcome. `refusal` None: go on. Without `payer` nobody pays. `bundles`: their minutes are drawn first, in this order; `purse_id`
    pays with money."""

    attempt: Attempt
    trace: list[tuple[str, str]] = field(default_factory=list)
    refusal: Refusal | None = None
    direction: str = "outgoing"
    caller: ProfileFacts | None = None
    callee: ProfileFacts | None = None
    number: str = ""
    shown: str = ""
    rate: Rate | None = None
    payer: ProfileFacts | None = None
    purse_id: int = 0
    bundles: tuple[BundleFacts, ...] = ()
    routes: tuple[Route, ...] = ()
    media: str = "relay"
    max_seconds: int = 4 * 3600

    def note(self, step: str, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append((step, what))

    @property
    def profiles(self) -> tuple[ProfileFacts, ...]:
        """The profiles on which the call takes a channel."""
        return tuple(profile for profile in (self.caller, self.callee) if profile is not None)


class _Refused(Exception):  # noqa: N818 - an outcome, not an error
    """Ends a decision; never leaves this module."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.refusal = REFUSALS[name]
        self.why = why


def decide(attempt: Attempt, directory: Directory, usage: Usage) -> Decision:
    """The decision about one attempt."""
    decision = Decision(attempt)
    try:
        if attempt.from_kind == "carrier":
            _incoming(decision, directory)
        else:
            _outgoing(decision, directory)
        _check_channels(decision, usage)
        _find_purse(decision, usage)
    except _Refused as refused:
        decision.refusal = refused.refusal
        decision.note("refused", f"{refused.refusal.code} {refused.why}")
    else:
        decision.note("admitted", "the call may go on")
    return decision


def _outgoing(decision: Decision, directory: Directory) -> None:
    """A call from a PBX: identity, subscription, number, rate, barring, Caller ID, route."""
    attempt = decision.attempt
    profile = _identify(decision, directory)
    if emergency.is_emergency(attempt.dialled, profile.country):
        raise _Refused("emergency", f"{attempt.dialled} is an emergency number")
    _check_open(decision, profile)
    decision.number = _number_of(decision, profile)
    prices = directory.prices(profile.price_list_id)
    if decision.number == prices.echo_number:
        decision.note("rate", "echo test, free")
        decision.routes = (echo_route(directory),)
        decision.media = "relay"  # the echo service is on loopback, and RTPengine announces it
        return
    decision.rate = _rate_of(decision, prices)
    decision.payer = profile
    _check_barring(decision, profile, decision.rate)
    caller_id = choose_caller_id(attempt, profile, decision.number)
    decision.shown = caller_id.digits
    decision.note("caller_id", caller_id.why)
    _find_routes(decision, directory)


def _incoming(decision: Decision, directory: Directory) -> None:
    """A call from a carrier: number, profile, route. A suspended profile still takes calls (SPEC R12)."""
    attempt = decision.attempt
    decision.direction = "incoming"
    carrier = directory.carrier(attempt.from_id)
    if carrier is None:
        raise _Refused("unknown_caller", "there is no such carrier any more")
    decision.note("identity", f"carrier {carrier.name}")
    decision.number = _digits(attempt.dialled)
    decision.shown = _digits_from_carrier(attempt)
    _reach_callee(decision, directory)


def _identify(decision: Decision, directory: Directory) -> ProfileFacts:
    profile = directory.profile(decision.attempt.from_id)
    if profile is None:
        raise _Refused("unknown_caller", "there is no such SIP Profile any more")
    decision.caller = profile
    decision.max_seconds = profile.max_duration_seconds
    decision.media = profile.media
    decision.note("identity", f"SIP Profile {profile.name}")
    return profile


def _check_open(decision: Decision, profile: ProfileFacts) -> None:
    if profile.suspended:
        raise _Refused("suspended", "suspended by the operator")
    if profile.channels == 0:
        raise _Refused("profile_inactive", "no calling channels")
    if name := unacceptable(profile.srtp, offered=decision.attempt.srtp_offered):
        raise _Refused(name, f"the PBX offers {'SRTP' if decision.attempt.srtp_offered else 'RTP'}")
    if decision.attempt.too_fast:
        raise _Refused("too_fast", f"more than {profile.calls_per_second} calls a second")
    decision.note("subscription", f"{profile.channels} channels")


def _number_of(decision: Decision, profile: ProfileFacts) -> str:
    dialled = decision.attempt.dialled
    if numbers.is_name(dialled):
        raise _Refused("name_called", f"{dialled} is a name")
    number = numbers.to_e164(dialled, profile.country)
    if number is None:
        raise _Refused("bad_number", f"{dialled} is not a number in {profile.country} nor an international one")
    decision.note("number", f"{dialled} is +{number}")
    return number


def _rate_of(decision: Decision, prices: PriceBook) -> Rate:
    rate = prices.rates.longest(decision.number)
    if rate is None:
        raise _Refused("no_price", f"no price for +{decision.number}")
    decision.note(
        "rate",
        f"{rate.destination} (+{rate.prefix}): {rate.rate_per_minute_micros} micro-{rate.currency} a minute, fee "
        f"{rate.connection_fee_micros}, increments {rate.first_increment_seconds}/{rate.next_increment_seconds}",
    )
    return rate


def _check_barring(decision: Decision, profile: ProfileFacts, rate: Rate) -> None:
    limit = profile.max_rate_per_minute_micros
    if limit is not None and rate.rate_per_minute_micros > limit:
        raise _Refused("too_dear", f"the limit is {limit} micro-{profile.currency} a minute")
    if why := why_barred(decision.number, profile):
        raise _Refused("barred", why)
    decision.note("barring", "allowed")


def choose_caller_id(attempt: Attempt, profile: ProfileFacts, called: str) -> CallerId:
    """Which number the called side sees (SPEC R8): one that the PBX presents if the profile owns it, else what is set on the profile."""
    if attempt.anonymous:
        return CallerId("", "anonymous: the PBX asks for privacy")
    for presented in (attempt.asserted, attempt.caller):
        digits = presented.lstrip("+")
        if digits and digits in profile.numbers:
            return CallerId(digits, f"+{digits}, presented by the PBX and on this profile")
    return set_caller_id(profile, called)


def _find_routes(decision: Decision, directory: Directory) -> None:
    """Carriers, or for a number of the platform the other company's PBX without a carrier (SPEC R6.4)."""
    if directory.is_platform_number(decision.number):
        decision.direction = "internal"
        _reach_callee(decision, directory)
        return
    decision.routes = carrier_routes(decision.number, decision.shown, directory)
    if not decision.routes:
        raise _Refused("no_carrier", f"no carrier takes +{decision.number}")
    decision.note("route", ", ".join(route.name for route in decision.routes))


def _reach_callee(decision: Decision, directory: Directory) -> None:
    """The profile that the number is on, and where its PBX is now (SPEC R7.2, R7.5)."""
    profile_id = directory.profile_of_number(decision.number)
    callee = directory.profile(profile_id) if profile_id is not None else None
    if callee is None:
        raise _Refused("unknown_number", f"{decision.attempt.dialled} is on no SIP Profile")
    decision.callee = callee
    decision.note("number", f"+{decision.number} is on SIP Profile {callee.name}")
    if decision.caller is None:
        decision.media, decision.max_seconds = callee.media, callee.max_duration_seconds
    if callee.channels == 0:
        raise _Refused("not_reachable", f"{callee.name} has no calling channels")
    binding = directory.binding(callee.profile_id, decision.attempt.at_us)
    if binding is None:
        raise _Refused("not_reachable", f"the PBX of {callee.name} is not registered")
    agreed = towards_pbx(callee.srtp, binding)
    decision.routes = pbx_routes(decision.number, decision.shown, callee, binding, directory.sip_domain, agreed=agreed)
    decision.note("route", f"PBX of {callee.name} at {binding.via or binding.contact}")
    decision.note("media", f"PBX of {callee.name} gets {agreed if decision.media == 'relay' else 'what the other side offers'}")


def _check_channels(decision: Decision, usage: Usage) -> None:
    """A channel on each side. A call from a profile to its own number takes two."""
    needed: dict[int, int] = {}
    for profile in decision.profiles:
        needed[profile.profile_id] = needed.get(profile.profile_id, 0) + 1
        in_use = usage.channels_in_use.get(profile.profile_id, 0)
        if in_use + needed[profile.profile_id] > profile.channels:
            name = "channels_full" if profile is decision.caller else "channels_full_incoming"
            raise _Refused(name, f"{in_use} of {profile.channels} channels of {profile.name} are in use")
        decision.note("channel", f"{in_use + 1} of {profile.channels} of {profile.name}")


def _find_purse(decision: Decision, usage: Usage) -> None:
    """Minutes first, if a bundle covers the number; when they are used up, the Manager's Credit; without a bundle, the profile's (SPEC R5.4)."""
    payer, rate = decision.payer, decision.rate
    if payer is None or rate is None:
        return
    covering = () if rate.is_free else payer.bundles_for(decision.number, decision.attempt.at_us)
    decision.purse_id = payer.manager_purse_id if covering else payer.purse_id
    if not any(_has_minutes(decision, bundle, usage) for bundle in covering):
        _check_credit(decision, usage, rate, "the Manager's Credit" if covering else "the profile's Credit")
        return
    decision.bundles = covering


def _has_minutes(decision: Decision, bundle: BundleFacts, usage: Usage) -> bool:
    left = usage.available(bundle.account_id)
    decision.note("purse", f"bundle {bundle.name}, {left // 60} min {left % 60} s left")
    return left > 0


def _check_credit(decision: Decision, usage: Usage, rate: Rate, whose: str) -> None:
    amount, available = rate.increment_micros(1), usage.available(decision.purse_id)
    if amount > available:
        raise _Refused("no_credit", f"{amount} micro-{rate.currency} needed, {available} free in {whose}")
    decision.note("purse", f"{amount} of {available} micro-{rate.currency} of {whose} held")


def _digits_from_carrier(attempt: Attempt) -> str:
    """The caller as the carrier sends it, E.164 digits; empty when withheld or no number."""
    if attempt.anonymous:
        return ""
    return _digits(attempt.asserted or attempt.caller)


def _digits(text: str) -> str:
    """Without `+`; empty for a name: whoever reads a number later takes it for one."""
    digits = text.lstrip("+")
    return digits if digits.isascii() and digits.isdecimal() else ""
