"""A SIP Profile is deleted (SPEC R2.7): what is shown first is what happens."""

from __future__ import annotations

import pytest

from tests.callcontrol.ground import Table
from tests.conftest import Store
from tests.store.cast import BY, NOW, make_profile
from tests.store.market import BUNDLE, CHANNEL, DAY, MONTH, Market, refused
from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.store.audit import audit
from trunkline.store.directory import credentials_of, source_of
from trunkline.store.models import AuditEntry, CallRecord, Number, Profile, RechargeRule, Term
from trunkline.usecases import bundles, carriers, credentials, credit, number_fees, numbers, profiles, subscriptions
from trunkline.usecases.profile_deletion import delete_profile, preview_profile_deletion
from trunkline.usecases.renewals import renew_due


@pytest.fixture
def market(store: Store) -> Market:
    """Everything that a profile can have."""
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    bundles.buy_bundles(**made.bundle(), quantity=2)
    credit.allocate_credit(**made.me(), amount_micros=20 * MICROS, reference="some")
    numbers.add_numbers(now=NOW, by=BY, stock=[stock_number("+12025550100"), stock_number("+12025550101")])
    Number.objects.update(monthly_price_micros=MICROS)
    for each in Number.objects.all():
        number_fees.rent_number(now=NOW, by=BY, manager_id=made.company.manager_id, number_id=each.pk, profile_id=made.profile_id)
    profiles.set_caller_id(**made.me(), caller_id="+12025550100")
    credentials.set_ip_authentication(**made.me(), address="9.9.9.9", port=5060)
    RechargeRule.objects.create(account=made.company.purse(), threshold_micros=0, amount_micros=MICROS)
    return made


def test_r2_7_what_is_shown_is_what_happens(market: Market) -> None:
    half = NOW + 15 * DAY
    preview = preview_profile_deletion(now=half, profile_id=market.profile_id)
    assert (preview.credit_micros, preview.refund_micros, preview.channels, preview.channels_until) == (20 * MICROS, BUNDLE, 5, NOW + MONTH)
    assert (preview.numbers, preview.problems) == (("12025550100", "12025550101"), ())
    before, sip_user = market.credit, market.company.profile().sip_user
    assert delete_profile(**market.me(half)) == preview
    assert market.credit == before + 20 * MICROS + BUNDLE
    profile = Profile.objects.select_related("account").get(pk=market.profile_id)
    assert (profile.state, profile.channels, profile.account.balance, profile.caller_id) == ("deleted", 0, 0, "")
    assert not Number.objects.exclude(manager=market.company.manager_id, profile=None).exists()
    assert Term.objects.filter(ended_at=None).exclude(kind="number").count() == 0
    assert Term.objects.filter(ended_at=None, kind="number").count() == 2  # the numbers go on, in the Manager's stock
    assert (credentials_of(sip_user, half), source_of("9.9.9.9", 5060)) == (None, ("none", 0))
    assert not RechargeRule.objects.get().enabled
    assert AuditEntry.objects.filter(action="profile.delete").count() == 1
    assert audit().ok


def test_a_deleted_profile_is_gone_and_its_name_and_address_are_free(market: Market) -> None:
    delete_profile(**market.me())
    with pytest.raises(NotFound):
        delete_profile(**market.me())
    with pytest.raises(NotFound):
        subscriptions.preview_channels(now=NOW, profile_id=market.profile_id, channels=5)
    again = make_profile(market.company.manager_id, "Profile 0")
    credentials.set_ip_authentication(now=NOW, by=BY, profile_id=again, address="9.9.9.9", port=5060)
    renew_due(now=NOW + 2 * MONTH, by=BY, limit=100)
    assert audit().ok


def test_r2_7_not_while_it_calls_and_the_history_stays(market: Market) -> None:
    carrier_id = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.10"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier_id, prefix="")
    table = Table(now_us=int(NOW.timestamp()) * MICROS)
    ref = table.answered_call(market.company.profile())
    with refused(Conflict, "1 outgoing calls are in progress"):
        delete_profile(**market.me())
    assert preview_profile_deletion(now=NOW, profile_id=market.profile_id).problems
    table.pass_seconds(70)
    table.turn(table.ended(ref))
    delete_profile(**market.me())
    assert CallRecord.objects.get(call_ref=ref).profile_id == market.profile_id
    assert market.credit > 1000 * MICROS - 5 * CHANNEL - 2 * BUNDLE  # the rest came back
    assert audit().ok
