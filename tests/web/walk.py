"""Every page that there is, with a company behind it that has something of each kind. Nobody has to remember to add a new page here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.store.cast import BY, NOW, make_profile
from tests.store.many_calls import Callers, fill, settle
from tests.store.many_postings import Moves, move
from tests.web.cast import Cast, join, signed_in, staff
from tests.web.crowd import Crowd
from tests.web.crowd_operator import Operators
from tests.web.test_access import filled, routes, takes
from trunkline.api import documentation
from trunkline.domain.money import MICROS
from trunkline.domain.months import Month
from trunkline.store import clock
from trunkline.store.ledger import microseconds, outside
from trunkline.store.models import (
    Account,
    CallRecord,
    LiveCall,
    Membership,
    Number,
    Person,
    Profile,
    Role,
    Term,
    WebhookDelivery,
    WebhookEndpoint,
)
from trunkline.usecases import api_tokens, verification
from trunkline.web.access import Audience

OF_COMPANY = (*(audience for audience in Audience if audience.of_company), Audience.SIGNED_IN)
OF_STAFF = (Audience.STAFF, Audience.OPERATOR)
LEDGER_FROM = NOW + timedelta(days=20)
PDF = b"%PDF-1.4\n%%EOF\n"
SHEETS = {
    "operator_price_upload": b"prefix,destination,rate\n1,United States,0.03\n",
    "operator_number_upload": b"number,country,area,price\n+12135550199,US,Los Angeles,1\n",
}


NO_PAGES = {
    "features": "leads to its first entry",
    "payment_returned": "leads to the payment",
    "operator_company_resume": "leads back from a company that is not suspended",
    "operator_letter": "only where mail is written into files",
    "account_set_password": "only for people without a password",
}
"""Routes that answer a GET with no page, and why. Those of second factors, which lead to a confirmation first, are not in it."""


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is its route's."""

    name: str
    path: str
    client: Client


class Walk:
    """A company's pages as its administrator sees them, those of the console as the operator does, and the lists of the API.

    Not those for anyone (`Audience.ANYONE`): they show nothing of a company.
    """

    def __init__(self, cast: Cast) -> None:
        self.cast, self.crowd = cast, Crowd(cast.company)
        self.samples = cast.samples  # made now
        self.operators = Operators(cast.company, self.crowd)
        self._fills = itertools.count()
        if clock.now() < LEDGER_FROM:  # what the cast has booked is no later than what comes now
            clock.put_forward(LEDGER_FROM)
        manager_id = cast.company.manager_id
        self._document = verification.add_document(now=NOW, by=BY, manager_id=manager_id, name="register.pdf", data=PDF)

    @cached_property
    def month(self) -> Month:
        """This one: the reports and the flags are about now."""
        return Month.of(microseconds(self.crowd.now), ZoneInfo(self.cast.company.manager.time_zone))

    @property
    def booking(self) -> tuple[int, int]:
        """The instance's time, when money moves."""
        now_us = microseconds(clock.now())
        return Month.of(now_us, self.month.zone).starts_us, now_us

    @property
    def time(self) -> tuple[int, int]:
        """The engines', when calls are made."""
        return self.month.starts_us, microseconds(self.crowd.now)

    def grow(self, each: int) -> None:
        """So many more of everything, calls and postings too."""
        self.crowd.grow(each)
        self.operators.grow(each)
        self.call([self.crowd.home.pk], each)
        settle()
        self.post(each)

    def call(self, profile_ids: list[int], count: int) -> None:
        """In this month, until now."""
        callers = Callers(self.cast.company.manager_id, tuple(profile_ids))
        fill(callers, count, *self.time, number=next(self._fills))

    def post(self, count: int) -> None:
        """In this month: so many of calls to the Manager's Credit and to that of the home profile, a twentieth as many allocations."""
        manager, home = self.crowd.manager.account, self.crowd.home.account
        funding, revenue = outside(Account.Kind.FUNDING, "USD"), outside(Account.Kind.REVENUE, "USD")
        for kind, debit, credit, number, amount in (
            ("payment", funding, manager, 1, 1000 * MICROS),
            ("allocate", manager, home, 1, 500 * MICROS),
            ("allocate", manager, home, count // 20, 1),
            ("call", manager, revenue, count, 1),
            ("call", home, revenue, count, 1),
        ):
            key = f"{kind}/{self.crowd.manager.pk}/{next(self.crowd.serials(1))}"
            move(Moves(key, debit, credit, kind, number, amount), *self.booking)

    def pages(self) -> list[Page]:
        """All that answer a GET, but for `NO_PAGES`."""
        return [*self._pages(self.administrator, OF_COMPANY), *self._pages(self.operator, OF_STAFF), *self._of_api()]

    @cached_property
    def administrator(self) -> Client:
        person = join(self.cast, Role.ADMINISTRATOR, account="walker")
        Membership.objects.filter(person=person).update(records_acknowledged_at=NOW)
        return signed_in(person)

    @cached_property
    def operator(self) -> Client:
        """With sheets that wait to be imported."""
        client = signed_in(staff(Person.Staff.OPERATOR))
        for name, sheet in SHEETS.items():
            path = next(self._path(path, name) for path, route in routes() if route.name == name)
            answer = client.post(path, {"sheet": SimpleUploadedFile("new.csv", sheet)})
            assert answer.status_code == 302, answer.content.decode()
        return client

    def _pages(self, client: Client, audiences: tuple[Audience, ...]) -> list[Page]:
        shown = [(path, route) for path, route in routes() if route.callback.audience in audiences and takes(route.callback, "GET")]  # type: ignore[attr-defined]
        found = [(path, route.name or "") for path, route in shown]
        return [Page(name, self._path(path, name), client) for path, name in found if name not in NO_PAGES and not name.startswith("mfa_")]

    def _of_api(self) -> list[Page]:
        """By its description, which is made of the operations themselves."""
        made = api_tokens.create_token(
            now=NOW, by=BY, manager_id=self.cast.company.manager_id, name="ERP", role=Role.ADMINISTRATOR, call_details=True
        )
        client = Client(headers={"host": "localhost", "authorization": f"Bearer {made.token}"})
        known = documentation.schema()["paths"].items()
        found = [(path.replace("{", "<").replace("}", ">"), methods["get"]["operationId"]) for path, methods in known if "get" in methods]
        return [Page(f"API {name}", self._path(path, name), client) for path, name in found]

    def _path(self, path: str, name: str) -> str:
        return filled(path, self.samples | self._own(name))

    def _own(self, name: str) -> dict[str, object]:
        """What a page is about, when it is not what most pages are about."""
        return next(({kind: ident()} for beginning, kind, ident in self._special() if name.startswith(beginning)), {})

    def _special(self) -> tuple[tuple[str, str, Callable[[], object]], ...]:
        """Beginnings of routes' names, their parameter, its value; the first that fits counts."""
        mine, of_home = {"manager_id": self.cast.company.manager_id}, {"profile": self.crowd.home}
        return (
            ("archive_profile", "profile_id", lambda: first(Profile.objects.filter(**mine, state="deleted"))),
            ("bundles_buy", "product_id", lambda: self.samples["product_id"]),
            ("bundles_", "product_id", lambda: Term.objects.filter(**of_home, kind="bundle", ended_at=None)[0].product_id),
            ("channels_buy", "profile_id", lambda: make_profile(mine["manager_id"], "Without channels", channels=0)),
            ("list_deliveries", "webhook_id", lambda: first(WebhookEndpoint.objects.filter(**mine))),
            ("member", "membership_id", lambda: first(Membership.objects.filter(**mine))),
            ("number_buy", "number_id", lambda: first(Number.objects.filter(manager=None))),
            ("number", "number_id", lambda: Term.objects.filter(**mine, kind="number")[0].number_id),
            ("operator_call_hang_up", "call_ref", lambda: first(LiveCall.objects)),
            ("get_call_ladder", "call_id", lambda: first(CallRecord.objects.filter(**mine))),
            ("operator_call_record", "call_ref", lambda: first(CallRecord.objects.filter(**mine))),
            ("operator_verification_document", "document_id", lambda: self._document),
            ("webhook_delivery", "delivery_id", lambda: first(WebhookDelivery.objects.filter(endpoint__manager_id=mine["manager_id"]))),
            ("webhook", "endpoint_id", lambda: first(WebhookEndpoint.objects.filter(**mine))),
            ("reports_call", "call_ref", lambda: first(CallRecord.objects.filter(**mine))),
        )


def first(rows: Any) -> int:
    """The id."""
    return int(rows.order_by("pk")[0].pk)
