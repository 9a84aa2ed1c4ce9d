"""Guide 7.8: a profile is deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.buyer import fill, signed_in_buyer, view_profile
from tests.browser.conftest import Visitor
from tests.web.shop import make_shop
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import BusinessAccount, Profile
from trunkline.store.work import By
from trunkline.usecases import account_places, accounts, credit

BY = By("test", "test")
pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def test_g_7_8_delete_a_profile(visitor: Visitor, site: str) -> None:
    cast = make_shop()
    profile_id = cast.company.profile_ids[0]
    credit.allocate_credit(now=clock.now(), by=BY, profile_id=profile_id, amount_micros=10 * MICROS, reference="one")
    for name in ("Architects.Sales", "Architects.Reception"):
        accounts.create_account(now=clock.now(), by=BY, manager_id=cast.company.manager_id, name=name)
        account_places.add_account(now=clock.now(), by=BY, profile_id=profile_id, name=name)
    signed_in_buyer(visitor, cast)
    view_profile(visitor)
    visitor.follow("Delete this profile")
    visitor.sees("$10.00")
    visitor.sees("Architects.Reception, Architects.Sales are on no profile any more")
    visitor.looks_right("delete")
    visitor.follow("Download its calls (CSV)")
    visitor.sees("Call records are personal data")
    visitor.press("I understand")
    with visitor.page.expect_download() as download:
        visitor.follow("Download its calls (CSV)")
    assert Path(download.value.path()).read_text().startswith("started_at,call_ref,direction")
    fill(visitor, "To delete it, type its name", "Sales")
    visitor.press("Delete")
    visitor.sees("This is not its name.")
    visitor.looks_right("delete-wrong")
    fill(visitor, "To delete it, type its name", "Sales.Architects")
    visitor.press("Delete")
    visitor.sees("Sales.Architects is deleted.")
    assert Profile.objects.get(pk=profile_id).state == Profile.State.DELETED
    assert cast.company.manager.account.balance == 500 * MICROS
    assert not BusinessAccount.objects.exclude(profile=None).exists()
