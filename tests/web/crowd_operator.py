"""Many of everything that the operator's console shows: companies, carriers, prices, what waits. Written at once, as `tests.web.crowd` does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.store.cast import Company
from tests.web.crowd import Crowd
from trunkline.domain.money import MICROS
from trunkline.store.models import (
    Account,
    AuditEntry,
    Carrier,
    CarrierRoute,
    CompanyDetails,
    Dispute,
    Mail,
    Manager,
    Payment,
    Price,
    PriceList,
    ProviderEvent,
    Refund,
)


class Operators:
    """Around a company, on whose payment refunds and disputes are."""

    def __init__(self, company: Company, crowd: Crowd) -> None:
        self.company, self.crowd = company, crowd
        self.now = datetime.now(UTC)
        self.carrier, _ = Carrier.objects.get_or_create(name="Sample", host="192.0.2.1")

    def grow(self, each: int, **others: int) -> None:
        """So many more of each kind; `others` as in `Crowd.grow`."""
        unknown = others.keys() - set(KINDS)
        assert not unknown, unknown
        for kind in KINDS:
            getattr(self, kind)(others.get(kind, each))

    def companies(self, count: int) -> None:
        """Every second one waits for the operator's word, the others are verified."""
        serials = list(self.crowd.serials(count))
        purses = Account.objects.bulk_create(
            Account(kind="manager", name=f"Credit of {serial}", currency="USD", guarded=True, balance=MICROS) for serial in serials
        )
        about: dict[str, Any] = {"country": "US", "currency": "USD", "time_zone": "America/New_York", "created_at": self.now}
        states = (Manager.Verification.IN_REVIEW, Manager.Verification.VERIFIED)
        rows = [
            Manager(
                company_name=f"Company {serial:06}", admin_account=f"Company{serial}.Admin", account=purse,
                verification=states[serial % 2], price_list_id=self.company.price_list_id, **about,
            )
            for serial, purse in zip(serials, purses, strict=True)
        ]  # fmt: skip
        CompanyDetails.objects.bulk_create(self._details(manager) for manager in Manager.objects.bulk_create(rows))

    def namesakes(self, count: int) -> None:
        """The same company in other countries; a hundred at most, since countries have two letters."""
        company = self.company.manager
        for serial in self.crowd.serials(min(count, 100)):
            purse = Account.objects.create(kind="manager", name=f"Credit of {serial}", currency="USD", guarded=True)
            country = f"{chr(65 + serial // 26 % 26)}{chr(65 + serial % 26)}"
            about: dict[str, Any] = {"company_name": company.company_name, "currency": "USD", "time_zone": "UTC", "created_at": self.now}
            if not Manager.objects.filter(company_name=company.company_name, country=country).exists():
                Manager.objects.create(
                    country=country, admin_account=f"Namesake{serial}", account=purse, price_list=company.price_list, **about
                )

    def carriers(self, count: int) -> None:
        Carrier.objects.bulk_create(Carrier(name=f"Carrier {serial}", host="192.0.2.7") for serial in self.crowd.serials(count))

    def routes(self, count: int) -> None:
        CarrierRoute.objects.bulk_create(CarrierRoute(carrier=self.carrier, prefix=f"44{serial}") for serial in self.crowd.serials(count))

    def carrier_history(self, count: int) -> None:
        about: dict[str, Any] = {
            "at": self.now,
            "actor": "operator ada",
            "action": "carrier.update",
            "target": f"carrier {self.carrier.pk}",
        }
        AuditEntry.objects.bulk_create(AuditEntry(**about) for _ in range(count))

    def price_lists(self, count: int) -> None:
        PriceList.objects.bulk_create(PriceList(name=f"Prices {serial}", currency="USD") for serial in self.crowd.serials(count))

    def prices(self, count: int) -> None:
        """Open ones, and as many that have ended."""
        about: dict[str, Any] = {
            "price_list_id": self.company.price_list_id,
            "destination": "United Kingdom",
            "rate_per_minute_micros": 20_000,
        }
        serials = list(self.crowd.serials(count))
        for starts, ends in ((self.now - timedelta(days=60), self.now - timedelta(days=30)), (self.now - timedelta(days=30), None)):
            Price.objects.bulk_create(
                (Price(prefix=f"44{serial}", effective_from=starts, effective_until=ends, **about) for serial in serials), batch_size=2000
            )

    def refunds(self, count: int) -> None:
        payment = self._payment()
        about: dict[str, Any] = {"payment": payment, "amount_micros": 1, "taken_micros": 1, "created_at": self.now}
        Refund.objects.bulk_create(Refund(reference=f"refund {serial}", **about) for serial in self.crowd.serials(count))

    def disputes(self, count: int) -> None:
        payment = self._payment()
        about: dict[str, Any] = {"payment": payment, "amount_micros": 1, "taken_micros": 1, "counted_micros": 1, "opened_at": self.now}
        Dispute.objects.bulk_create(Dispute(provider_reference=f"dispute {serial}", **about) for serial in self.crowd.serials(count))

    def provider_events(self, count: int) -> None:
        about: dict[str, Any] = {"provider": "fake", "kind": "refunded", "payload": {}, "received_at": self.now}
        ProviderEvent.objects.bulk_create(ProviderEvent(event_id=f"event {serial}", **about) for serial in self.crowd.serials(count))

    def mails(self, count: int) -> None:
        """To the company, every second one given up."""
        about: dict[str, Any] = {
            "manager": self.company.manager,
            "to": "somebody@example.com",
            "subject": "Low Credit",
            "text": "There is little.",
        }
        about |= {"created_at": self.now, "next_try_at": self.now}
        Mail.objects.bulk_create(
            Mail(key=f"crowd/{serial}", given_up_at=self.now if serial % 2 else None, **about) for serial in self.crowd.serials(count)
        )

    def _payment(self) -> Payment:
        return Payment.objects.filter(manager_id=self.company.manager_id).order_by("pk")[0]

    def _details(self, manager: Manager) -> CompanyDetails:
        said = dict.fromkeys(("legal_name", "registration_number", "address", "contact_name", "contact_phone", "submitted_by"), "x")
        decided = manager.verification == Manager.Verification.VERIFIED
        return CompanyDetails(manager=manager, submitted_at=self.now, decided_at=self.now if decided else None, **said)


KINDS = (
    "companies", "namesakes", "carriers", "routes", "carrier_history", "price_lists", "prices", "refunds", "disputes", "provider_events", "mails",
)  # fmt: skip
