"""Who can be called by name at the demo company: the end of docs/tutorial/architects.md. Loading it again adds only what is missing."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import BusinessAccount, Number
from trunkline.store.work import By
from trunkline.usecases import account_places, accounts, number_places, numbers

BY = By("demo", "trunkline")
# Name, SIP Profile, extension there, a number of its own.
ACCOUNTS = (
    ("Architects.Sales", "Sales.Architects", "", ""),
    ("Architects.Engineering", "Engineering.Architects", "300", ""),
    ("Architects.Engineer", "Engineering.Architects", "", "12025550121"),
)


def load_demo_accounts(*, now: datetime, manager_id: int, profile_ids: dict[str, int]) -> None:
    """`profile_ids` by name. What somebody has changed since stays as it is."""
    known = set(BusinessAccount.objects.filter(name__in=[name for name, *_ in ACCOUNTS]).values_list("name", flat=True))
    for name, profile, extension, e164 in ACCOUNTS:
        if name not in known:
            accounts.create_account(now=now, by=BY, manager_id=manager_id, name=name)
            account_places.add_account(now=now, by=BY, profile_id=profile_ids[profile], name=name, extension=extension)
        if e164 and not Number.objects.filter(e164=e164).exists():
            numbers.add_numbers(now=now, by=BY, stock=[stock_number(e164)])
            numbers.assign_number(now=now, by=BY, e164=e164, profile_id=profile_ids[profile])
            number_places.put_on_account(now=now, by=BY, manager_id=manager_id, number_id=Number.objects.get(e164=e164).pk, name=name)
