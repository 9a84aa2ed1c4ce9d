"""A company's account in one country: opened, suspended, resumed (SPEC R1.1, R12)."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime

from trunkline.domain import numbers
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.money import check_currency
from trunkline.domain.names import check_account_name, check_name
from trunkline.store import ledger
from trunkline.store.models import Account, Change, Manager, PriceList
from trunkline.store.work import By, Work, work
from trunkline.usecases.evidence import keep_evidence


@dataclass(frozen=True, slots=True)
class Company:
    """Checked when it is made. `country`: ISO 3166-1 alpha-2; `currency`: ISO 4217."""

    name: str
    country: str
    currency: str
    time_zone: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_name(self.name, "company_name", longest=120))
        _check_place(self.country, self.currency, self.time_zone)


@dataclass(frozen=True, slots=True)
class ManagerCreated:
    manager_id: int
    warnings: tuple[str, ...]


def create_manager(
    *,
    now: datetime,
    by: By,
    company_name: str,
    country: str,
    currency: str,
    time_zone: str,
    admin_account: str,
    price_list_id: int,
) -> ManagerCreated:
    """Open a Manager with an empty purse. One per company and country; another country's Manager of the same company is warned about."""
    company = Company(company_name, country, currency, time_zone)
    with work(now=now, by=by) as doing:
        return open_manager(doing, company, admin_account=admin_account, price_list_id=price_list_id)


def open_manager(doing: Work, company: Company, *, admin_account: str, price_list_id: int, email: str = "") -> ManagerCreated:
    """In the caller's transaction; it has locked nothing yet."""
    check_account_name(admin_account)
    price_list = doing.locks.one(PriceList, price_list_id)
    if price_list.currency != company.currency:
        raise Conflict(f"Price list {price_list.name} is in {price_list.currency}: choose one in {company.currency}.")
    warnings = _look_for_others(company.name, company.country, admin_account)
    ledger.outside(Account.Kind.FUNDING, company.currency)
    ledger.outside(Account.Kind.REVENUE, company.currency)
    purse = ledger.open_account(kind=Account.Kind.MANAGER, name=f"Credit of {company.name} ({company.country})", currency=company.currency)
    manager = Manager.objects.create(
        company_name=company.name,
        country=company.country,
        currency=company.currency,
        time_zone=company.time_zone,
        admin_account=admin_account,
        email=email,
        price_list=price_list,
        account=purse,
        created_at=doing.now,
    )
    after = {"company_name": company.name, "country": company.country, "currency": company.currency, "admin_account": admin_account}
    doing.audit("manager.create", f"manager {manager.id}", manager_id=manager.id, after=after)
    return ManagerCreated(manager.id, warnings)


def other_managers(company_name: str) -> list[str]:
    """Countries in which a company of this name has a Manager already (SPEC R1.1)."""
    return sorted(Manager.objects.filter(company_name__iexact=company_name.strip()).values_list("country", flat=True))


def suspend_manager(*, now: datetime, by: By, manager_id: int, reason: str, evidence: str = "") -> None:
    """No outgoing calls from any of its profiles, nothing new bought, no Auto-recharge by card; incoming calls and what runs go on (SPEC R12).

    `reason` is told to the company, `evidence` is not.
    """
    reason = check_name(reason, "reason", longest=200)
    with work(now=now, by=by) as doing:
        set_state(doing, doing.locks.one(Manager, manager_id), Manager.State.SUSPENDED, reason)
        keep_evidence(doing, f"manager {manager_id}", evidence)


def resume_manager(*, now: datetime, by: By, manager_id: int) -> None:
    with work(now=now, by=by) as doing:
        set_state(doing, doing.locks.one(Manager, manager_id), Manager.State.ACTIVE, "")


def set_state(doing: Work, manager: Manager, state: Manager.State, reason: str) -> None:
    """The Manager is locked."""
    if manager.state == state:
        raise Conflict(f"{manager.company_name} is {state} already.")
    before, manager.state = {"state": manager.state}, state
    manager.save(update_fields=["state"])
    after = {"state": state, "reason": reason[:200]}
    doing.audit(f"manager.{state}", f"manager {manager.pk}", manager_id=manager.pk, before=before, after=after)
    doing.changed(Change.What.MANAGER, manager.pk)


def _check_place(country: str, currency: str, time_zone: str) -> None:
    if not numbers.is_country(country):
        raise Invalid("country", f"{country[:10]!r} is not a country: use its two capital letters (ISO 3166-1), such as US.")
    check_currency(currency)
    if time_zone not in zoneinfo.available_timezones():
        raise Invalid("time_zone", f"{time_zone[:64]!r} is not a time zone: use a name such as America/New_York.")


def _look_for_others(company_name: str, country: str, admin_account: str) -> tuple[str, ...]:
    if Manager.objects.filter(admin_account__iexact=admin_account).exists():
        raise Conflict(f"The account {admin_account} is taken: choose another administrator account.")
    others = other_managers(company_name)
    if country in others:
        raise Conflict(f"{company_name} has a Manager in {country}: use that one.")
    return tuple(f"{company_name} has a Manager in {other} too." for other in others)
