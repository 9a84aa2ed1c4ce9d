"""The one decision: every refusal of the table, and the shape of every INVITE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trunkline.domain.admission import Attempt, Decision, decide
from trunkline.domain.destinations import destination_set
from trunkline.domain.directory import Binding, BundleFacts, CarrierChoice, CarrierFacts, PriceBook, ProfileFacts, Usage
from trunkline.domain.prefixes import PrefixTable
from trunkline.domain.purses import Purse
from trunkline.domain.rating import Rate
from trunkline.domain.refusals import REFUSALS

SALES = ProfileFacts(
    profile_id=1, manager_id=1, name="Sales.Architects", sip_user="10000000000001", country="US", currency="USD", price_list_id=1,
    purse_id=11, revenue_id=12, channels=5, numbers=frozenset({"12025550101"}),
)  # fmt: skip
ENGINEERING = replace(SALES, profile_id=2, name="Engineering.Architects", purse_id=21, channels=3, numbers=frozenset({"12025550102"}))
ECHO = "17606604690"


class Known:
    """A directory as plain attributes."""

    sip_domain = "trunkline.localhost"
    echo_uri = "sip:echo@127.0.0.1:5070"

    def __init__(self) -> None:
        self.profiles = {1: SALES, 2: ENGINEERING}
        self.numbers: dict[str, int | None] = {"12025550101": 1, "12025550102": 2, "12025550199": None}
        self.bindings = {2: Binding("sip:s@192.0.2.9:5062;rinstance=459608bf8eeb29ef")}
        self.carriers = {
            3: CarrierFacts(3, "north", "192.0.2.30", 5060),
            4: CarrierFacts(4, "south", "2001:db8::4", 5061, "tls", ("u", "p")),
        }
        self.routes = PrefixTable([("", (CarrierChoice(3, 10, 0), CarrierChoice(4, 5, 0))), ("33", (CarrierChoice(3, 10, 0),))])
        rates = [Rate("1", "United States", "USD", 20_000, 0, 60, 60), Rate("33", "France", "USD", 30_000, 10_000, 60, 60)]
        self.price_book = PriceBook(PrefixTable((rate.prefix, rate) for rate in rates), ECHO)

    def profile(self, profile_id: int) -> ProfileFacts | None:
        return self.profiles.get(profile_id)

    def profile_of_number(self, e164: str) -> int | None:
        return self.numbers.get(e164)

    def is_platform_number(self, e164: str) -> bool:
        return e164 in self.numbers

    def binding(self, profile_id: int, now_us: int) -> Binding | None:
        return self.bindings.get(profile_id)

    def prices(self, price_list_id: int) -> PriceBook:
        return self.price_book

    def carrier(self, carrier_id: int) -> CarrierFacts | None:
        return self.carriers.get(carrier_id)

    def carrier_routes(self) -> PrefixTable[tuple[CarrierChoice, ...]]:
        return self.routes


def purses(micros: int) -> dict[int, Purse]:
    return {ident: Purse(ident, micros) for ident in (11, 21)}


RICH = Usage(purses(1_000_000))


def out(dialled: str, usage: Usage = RICH, known: Known | None = None, **more: Any) -> Decision:
    attempt = replace(Attempt("profile", 1, dialled, at_us=0), **more)
    return decide(attempt, known or Known(), usage)


def incoming(dialled: str, usage: Usage = RICH, known: Known | None = None, **more: Any) -> Decision:
    attempt = replace(Attempt("carrier", 3, dialled, at_us=0, caller="+447824500000"), **more)
    return decide(attempt, known or Known(), usage)


def with_profile(profile: ProfileFacts) -> Known:
    known = Known()
    known.profiles[profile.profile_id] = profile
    return known


@pytest.mark.parametrize(
    ("decision", "name"),
    [
        (out("+33123456789", Usage(purses(39_999))), "no_credit"),
        (out("+33123456789", Usage(purses(40_000), {1: 5})), "channels_full"),
        (out("+33123456789", too_fast=True), "too_fast"),
        (out("+33123456789", known=with_profile(replace(SALES, channels=0))), "profile_inactive"),
        (out("+33123456789", known=with_profile(replace(SALES, suspended=True))), "suspended"),
        (out("+19005550100", known=with_profile(replace(SALES, barred_types=frozenset({"premium"})))), "barred"),
        (out("+33123456789", known=with_profile(replace(SALES, calls_abroad=False))), "barred"),
        (out("+33123456789", known=with_profile(replace(SALES, barred_destinations=frozenset({"FR"})))), "barred"),
        (out("Architects.Sales"), "name_called"),
        (out("12"), "bad_number"),
        (out("+12025550199"), "unknown_number"),
        (out("+12025550102", Usage(RICH.purses, {2: 3})), "channels_full_incoming"),
        (out("+33123456789", known=with_profile(replace(SALES, srtp="force"))), "srtp_required"),
        (out("911"), "emergency"),
        (out("+112"), "emergency"),
        (out("+4930123456"), "no_price"),
        (out("+33123456789", known=with_profile(replace(SALES, max_rate_per_minute_micros=29_999))), "too_dear"),
        (out("+33123456789", from_id=99), "unknown_caller"),
        (incoming("12025550199"), "unknown_number"),
        (incoming("12025550103"), "unknown_number"),
        (incoming("anybody"), "unknown_number"),
        (incoming("12025550101"), "not_reachable"),
        (incoming("12025550102", Usage({}, {2: 3})), "channels_full_incoming"),
        (incoming("12025550102", known=with_profile(replace(ENGINEERING, channels=0))), "not_reachable"),
        (incoming("12025550102", from_id=99), "unknown_caller"),
    ],
)
def test_refusals(decision: Decision, name: str) -> None:
    assert decision.refusal is REFUSALS[name]
    assert decision.trace[-1][0] == "refused"
    assert decision.trace[-1][1].startswith(REFUSALS[name].code)


def test_no_carrier_at_all() -> None:
    known = Known()
    known.routes = PrefixTable()
    assert out("+33123456789", known=known).refusal is REFUSALS["no_carrier"]


def test_the_last_cent_is_enough() -> None:
    decision = out("+33123456789", Usage(purses(40_000), {1: 4}))
    assert decision.refusal is None
    assert decision.payer is SALES


def test_an_emergency_call_is_refused_before_anything_else_can_be_wrong() -> None:
    known = with_profile(replace(SALES, suspended=True, channels=0))
    assert out("911", Usage(), known=known).refusal is REFUSALS["emergency"]


def test_the_echo_test_is_free_and_needs_no_credit() -> None:
    """On loopback, so through our media relay, whatever the profile says."""
    decision = out("+1 760 660 4690", Usage(), known=with_profile(replace(SALES, media="direct")))
    assert decision.refusal is None
    assert decision.payer is None
    assert (decision.routes[0].uri, decision.routes[0].announced, decision.media) == (Known.echo_uri, True, "relay")


def test_carriers_by_longest_prefix_then_priority() -> None:
    assert [route.carrier_id for route in out("+12125550100").routes] == [4, 3]
    assert [route.carrier_id for route in out("+33123456789").routes] == [3, 4]


def test_a_carrier_that_is_down_is_tried_last() -> None:
    known = Known()
    known.carriers[4] = replace(known.carriers[4], up=False)
    assert [route.carrier_id for route in out("+12125550100", known=known).routes] == [3, 4]


def test_the_invite_to_a_carrier() -> None:
    route = out("0033123456789", known=with_profile(replace(SALES, caller_id="12025550101"))).routes[1]
    assert route.uri == "sip:+33123456789@[2001:db8::4]:5061;transport=tls"
    assert route.from_uri == "sip:+12025550101@trunkline.localhost"
    assert route.to_uri == "sip:+33123456789@trunkline.localhost"
    assert route.asserted == "+12025550101"
    assert route.auth == ("u", "p")
    assert not route.privacy


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"caller": "12025550101"}, "12025550101"),
        ({"asserted": "+12025550101", "caller": "100"}, "12025550101"),
        ({"caller": "12025550102"}, "12025550155"),
        ({"caller": "12025550101", "anonymous": True}, ""),
    ],
)
def test_caller_id_is_one_that_the_profile_may_use(more: dict[str, Any], shown: str) -> None:
    known = with_profile(replace(SALES, caller_id="12025550155"))
    assert out("+33123456789", known=known, **more).shown == shown


def test_without_caller_id_the_call_is_anonymous() -> None:
    route = out("+33123456789").routes[0]
    assert (route.from_uri, route.asserted, route.privacy) == ("sip:anonymous@anonymous.invalid", "", True)


def test_the_invite_to_a_pbx_is_that_of_the_guide() -> None:
    decision = incoming("12025550102")
    assert decision.refusal is None
    route = decision.routes[0]
    assert route.uri == "sip:12025550102@192.0.2.9:5062;rinstance=459608bf8eeb29ef"
    assert route.from_uri == "sip:+447824500000@trunkline.localhost"
    assert route.to_uri == "sip:12025550102@trunkline.localhost"
    assert decision.payer is None


@pytest.mark.parametrize(("wanted", "user"), [("e164", "12025550102"), ("plus", "+12025550102"), ("national", "2025550102")])
def test_number_formats_towards_the_pbx(wanted: str, user: str) -> None:
    route = incoming("+12025550102", known=with_profile(replace(ENGINEERING, number_format=wanted))).routes[0]
    assert route.uri == f"sip:{user}@192.0.2.9:5062;rinstance=459608bf8eeb29ef"


def test_a_suspended_profile_still_takes_calls() -> None:
    assert incoming("12025550102", known=with_profile(replace(ENGINEERING, suspended=True))).refusal is None


def test_a_number_of_the_platform_is_reached_without_a_carrier_and_paid() -> None:
    decision = out("+12025550102")
    assert decision.refusal is None
    assert (decision.direction, decision.payer, decision.callee) == ("internal", SALES, ENGINEERING)
    assert decision.routes[0].carrier_id == 0


def test_a_call_to_ones_own_number_takes_two_channels() -> None:
    known = Known()
    known.bindings[1] = Binding("sip:x@192.0.2.8")
    assert out("+12025550101", Usage(RICH.purses, {1: 4}), known).refusal is REFUSALS["channels_full"]
    assert out("+12025550101", Usage(RICH.purses, {1: 3}), known).refusal is None


def test_refusals_are_sound() -> None:
    codes = [row.code for row in REFUSALS.values()]
    assert len(codes) == len(set(codes))
    for row in REFUSALS.values():
        assert 400 <= row.status < 700
        assert f"cause={row.q850}" in row.headers
        assert row.code in row.headers
        assert ("Retry-After" in row.headers) == bool(row.retry_after_seconds)


US_MINUTES = BundleFacts(31, 32, "US 5000", destination_set("US"), starts_us=0, ends_us=1000)
MORE_MINUTES = replace(US_MINUTES, account_id=33, name="US 5000 more", ends_us=2000)
BUNDLED = with_profile(replace(SALES, manager_purse_id=41, bundles=(US_MINUTES, MORE_MINUTES)))


def us_call(seconds: int, more_seconds: int = 0, credit: int = 0, at_us: int = 0) -> Decision:
    """The profile itself has nothing."""
    known = {11: Purse(11, 0), 31: Purse(31, seconds), 33: Purse(33, more_seconds), 41: Purse(41, credit)}
    return out("+12125550100", Usage(known), BUNDLED, at_us=at_us)


def purse_notes(decision: Decision) -> list[str]:
    return [what for step, what in decision.trace if step == "purse"]


def test_a_bundle_pays_before_money_and_the_one_that_ends_first_before_the_other() -> None:
    decision = us_call(4999, 60)
    assert decision.refusal is None
    assert [bundle.account_id for bundle in decision.bundles] == [31, 33]
    assert decision.purse_id == 41
    assert purse_notes(decision) == ["bundle US 5000, 83 min 19 s left"]
    assert purse_notes(us_call(0, 60)) == ["bundle US 5000, 0 min 0 s left", "bundle US 5000 more, 1 min 0 s left"]


def test_when_all_minutes_are_used_the_managers_credit_pays() -> None:
    decision = us_call(0, 0, credit=20_000)
    assert (decision.refusal, decision.bundles, decision.purse_id) == (None, (), 41)
    assert purse_notes(decision)[-1] == "20000 of 20000 micro-USD of the Manager's Credit held"
    assert us_call(0, 0, credit=19_999).refusal is REFUSALS["no_credit"]


def test_a_term_is_half_open_and_beyond_it_the_profile_pays() -> None:
    assert [bundle.account_id for bundle in us_call(60, 60, at_us=1000).bundles] == [33]
    assert us_call(60, 60, credit=10**9, at_us=2000).refusal is REFUSALS["no_credit"], "the profile has none"


def test_what_a_bundle_does_not_cover_is_paid_by_the_profile() -> None:
    decision = out("+33123456789", Usage(purses(40_000)), BUNDLED)
    assert (decision.refusal, decision.bundles, decision.purse_id) == (None, (), 11)
