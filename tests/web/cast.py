"""Who appears in the tests of the pages: a company with everything that a route may name, and people in each role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.test import Client

from tests.store.cast import BY, NOW, Company, make_company
from trunkline.store.models import Invitation, Membership, Person, Role
from trunkline.usecases import people

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Cast:
    """One company, and its people by role."""

    company: Company

    @cached_property
    def samples(self) -> dict[str, object]:
        """A value of this company for each name that routes have for their parameters. A new name belongs here."""
        member = Membership.objects.filter(manager_id=self.company.manager_id).order_by("pk").first()
        invited = people.invite(now=NOW, by=BY, manager_id=self.company.manager_id, email="new@example.com", role=Role.BILLING)
        return {
            "profile_id": self.company.profile_ids[0],
            "membership_id": member.pk if member else 0,
            "invitation_id": invited.invitation_id,
            "token": invited.token,
            "manager_id": self.company.manager_id,
            "pk": 1,
            "name": "nothing.eml",
        }


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


def open_invitations(cast: Cast) -> int:
    return Invitation.objects.filter(manager_id=cast.company.manager_id, accepted_at=None, withdrawn_at=None).count()
