"""Who appears in the tests of the pages: a company with everything that a route may name, and people in each role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.test import Client

from tests.store.cast import BY, NOW, Company, make_company
from tests.web.console import of_console
from trunkline.domain.money import MICROS
from trunkline.domain.recharge import Recommended
from trunkline.store.models import CompanyDocument, Invitation, Landline, Membership, Number, Payment, PaymentMethod, Person, Role
from trunkline.usecases import (
    account_places,
    accounts,
    api_tokens,
    groups,
    invitations,
    people,
    products,
    recharge_rules,
    webhook_endpoints,
)

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Cast:
    """One company, and its people by role."""

    company: Company

    @cached_property
    def samples(self) -> dict[str, object]:
        """A value of this company for each name that routes have for their parameters. A new name belongs here."""
        member = Membership.objects.filter(manager_id=self.company.manager_id).order_by("pk").first()
        invited = invitations.invite(now=NOW, by=BY, manager_id=self.company.manager_id, email="new@example.com", role=Role.BILLING)
        return {
            "profile_id": self.company.profile_ids[0],
            "product_id": sell(self.company.price_list_id),
            **_paid(self.company.manager_id),
            "membership_id": member.pk if member else 0,
            "invitation_id": invited.invitation_id,
            "token": invited.token,
            **_incoming(self.company),
            **_told(self.company.manager_id),
            "manager_id": self.company.manager_id,
            "token_id": api_tokens.create_token(now=NOW, by=BY, manager_id=self.company.manager_id, name="ERP", role=Role.BILLING).token_id,
            "pk": 1,
            "session_id": 1,
            "call_ref": 1,
            **of_console(self.company.price_list_id),
            "name": "nothing.eml",
        }


def sell(price_list_id: int) -> int:
    """Channels at 5, bundles at 20, and recommended amounts; the product of the bundles."""
    products.set_channel_price(now=NOW, by=BY, price_list_id=price_list_id, price_micros=5 * MICROS)
    recharge_rules.recommend(
        now=NOW,
        by=BY,
        price_list_id=price_list_id,
        profile=Recommended(5 * MICROS, 10 * MICROS),
        manager=Recommended(20 * MICROS, 50 * MICROS),
    )
    bundle: dict[str, Any] = {"code": "us-5000", "name": "5,000 US minutes", "minutes": 5000, "price_micros": 20 * MICROS, "country": "US"}
    return products.set_bundle_product(now=NOW, by=BY, price_list_id=price_list_id, **bundle)


def _paid(manager_id: int) -> dict[str, object]:
    """A payment with a stored method."""
    stored = {"provider": "fake", "token": f"card_{manager_id}", "label": "Demo card", "is_default": True, "created_at": NOW}
    method = PaymentMethod.objects.create(manager_id=manager_id, **stored)
    facts: dict[str, Any] = {"provider": "fake", "amount_micros": MICROS, "currency": "USD", "why": Payment.Why.TOP_UP, "created_at": NOW}
    payment = Payment.objects.create(manager_id=manager_id, reference=f"m{manager_id}.one", method=method, **facts)
    return {"method_id": method.pk, "payment_id": payment.pk, "reference": "one"}


def _incoming(company: Company) -> dict[str, object]:
    """Something of each kind that the pages of incoming calls name."""
    about = {"now": NOW, "by": BY, "manager_id": company.manager_id}
    company_name = company.manager.company_name
    account_id = accounts.create_account(**about, name=f"{company_name}.Sales")  # type: ignore[arg-type]
    account_places.add_account(now=NOW, by=BY, profile_id=company.profile_ids[0], name=f"{company_name}.Sales")
    number = Number.objects.create(e164=f"1202555{company.manager_id:04}", country="US", manager_id=company.manager_id)
    landline = Landline.objects.create(manager_id=company.manager_id, e164=f"1212555{company.manager_id:04}", created_at=NOW)
    document = CompanyDocument.objects.create(
        manager_id=company.manager_id, name="register.pdf", content_type="application/pdf", size_bytes=9,
        stored_as=f"{company.manager_id:032x}", uploaded_at=NOW, uploaded_by="test",
    )  # fmt: skip
    return {
        "account_id": account_id,
        "group_id": groups.create_group(**about, name="Sales"),  # type: ignore[arg-type]
        "number_id": number.pk,
        "landline_id": landline.pk,
        "document_id": document.pk,
        "country": "GB",
    }


def _told(manager_id: int) -> dict[str, object]:
    """A webhook, and an event on its way there."""
    about: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": manager_id}
    made = webhook_endpoints.create_endpoint(**about, url="https://erp.example.com/told", events=["term.renewed"], is_test=False)
    return {"endpoint_id": made.endpoint_id, "delivery_id": webhook_endpoints.send_test(**about, endpoint_id=made.endpoint_id)}


def make_cast(company_name: str = "Architects", profile_count: int = 1) -> Cast:
    return Cast(make_company(company_name=company_name, profile_count=profile_count, allocated_units=5))


def join(cast: Cast, role: str, account: str = "") -> Person:
    """A new person in that role."""
    name = account or f"{role}.{cast.company.manager_id}"
    new = people.NewPerson(name, f"{name}@example.com", PASSWORD, email_proven=True)
    ident = people.add_member(now=NOW, by=BY, manager_id=cast.company.manager_id, person=new, role=role)
    return Person.objects.get(pk=ident)


def staff(kind: str) -> Person:
    new = people.NewPerson(f"staff.{kind}", f"{kind}@operator.example.com", PASSWORD, email_proven=True)
    return Person.objects.get(pk=people.add_staff(now=NOW, by=BY, person=new, staff=kind))


def visitor() -> Client:
    return Client(headers={"host": "localhost"})


def signed_in(person: Person) -> Client:
    """Through the door, as a browser would: so the session knows when."""
    client = visitor()
    answer = client.post("/sign-in", {"login": person.account, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def reader(cast: Cast, role: Role = Role.REPORTS) -> Client:
    """Somebody who knows already what call records are."""
    client = signed_in(join(cast, role, account=f"{role}.of{cast.company.manager_id}"))
    Membership.objects.filter(manager_id=cast.company.manager_id).update(records_acknowledged_at=NOW)
    return client


def open_invitations(cast: Cast) -> int:
    return Invitation.objects.filter(manager_id=cast.company.manager_id, accepted_at=None, withdrawn_at=None).count()
