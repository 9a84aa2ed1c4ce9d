"""Many of everything that a company, or the operator, may have: rows as use cases leave them, written at once.

For tests of how pages behave when there is much to show. Money adds up only as far as pages look: the ledger's audit is not for these stores.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from tests.store.cast import Company
from trunkline.domain.money import MICROS
from trunkline.store.ledger import microseconds
from trunkline.store.models import (
    Account,
    AccountGroup,
    ApiToken,
    AuditEntry,
    BundleProduct,
    BusinessAccount,
    CallerIdRule,
    ChannelUse,
    CompanyDocument,
    Invitation,
    Landline,
    LiveCall,
    Membership,
    Number,
    Payment,
    PaymentMethod,
    Person,
    Profile,
    RechargeRule,
    Registration,
    Role,
    Term,
    WebhookDelivery,
    WebhookEndpoint,
)

COUNTRIES = sorted(SUPPORTED_REGIONS)
MONTH = timedelta(days=30)


class Crowd:
    """Of one company; `home` is the profile whose own pages are looked at, and which gets as many of everything as the company does."""

    def __init__(self, company: Company) -> None:
        self.company, self.manager, self.home = company, company.manager, company.profile()
        self.now = datetime.now(UTC)
        self._serials = itertools.count(1)

    def grow(self, each: int, **others: int) -> None:
        """So many more of each kind; `others` names kinds of which there are to be another number."""
        unknown = others.keys() - set(KINDS)
        assert not unknown, unknown
        for kind in KINDS:
            getattr(self, kind)(others.get(kind, each))

    def serials(self, count: int) -> Iterator[int]:
        return itertools.islice(self._serials, count)

    @cached_property
    def one_day(self) -> dict[str, datetime]:
        return {"starts_at": self.now, "ends_at": self.now + MONTH}

    def profiles(self, count: int, **unusual: Any) -> list[Profile]:
        """Registered, with channels and Auto-recharge."""
        serials = list(self.serials(count))
        purses = self._purses("profile", [f"Credit of Branch {serial:06}" for serial in serials], "USD", 50 * MICROS)
        usual: dict[str, Any] = {"manager": self.manager, "channels": 10, "password_sealed": "x", "ha1": "0" * 32, "created_at": self.now}
        rows = [
            Profile(name=f"Branch {serial:06}", account=purse, sip_user=f"{serial:014}", **usual | unusual)
            for serial, purse in zip(serials, purses, strict=True)
        ]
        made = Profile.objects.bulk_create(rows)
        ChannelUse.objects.bulk_create(ChannelUse(profile=profile, in_use=1) for profile in made)
        Registration.objects.bulk_create(self._registration(profile) for profile in made)
        Term.objects.bulk_create(Term(kind="channels", manager=self.manager, profile=one, price_micros=1, **self.one_day) for one in made)
        amounts = {"threshold_micros": MICROS, "amount_micros": 5 * MICROS}
        RechargeRule.objects.bulk_create(RechargeRule(account=purse, **amounts) for purse in purses)
        return made

    def deleted_profiles(self, count: int) -> None:
        made = self.profiles(count, state=Profile.State.DELETED)
        self._audit([f"profile {profile.pk}" for profile in made], "profile.delete")

    def bundles(self, count: int) -> None:
        """Products of the price list; each is open at home, and was there in the month before."""
        about: dict[str, Any] = {"price_list": self.manager.price_list, "minutes": 5000, "price_micros": 20 * MICROS, "country": "US"}
        products = BundleProduct.objects.bulk_create(
            BundleProduct(code=f"us-{serial}", name=f"US {serial}", **about) for serial in self.serials(count)
        )
        for ended in (self.now, None):
            purses = self._purses("bundle", [f"Minutes of {product.name}" for product in products], "SEC", 3600)
            about = {
                "kind": "bundle",
                "manager": self.manager,
                "profile": self.home,
                "price_micros": 20 * MICROS,
                "granted_seconds": 300_000,
            }
            about |= self.one_day | {"ended_at": ended, "end": "renewed" if ended else ""}
            Term.objects.bulk_create(Term(product=of, minutes=purse, **about) for of, purse in zip(products, purses, strict=True))

    def numbers(self, count: int) -> None:
        """Rented: at home, elsewhere, of accounts, of nobody; each with its term."""
        where: tuple[dict[str, Any], ...] = ({"profile": self.home}, {"profile": self._elsewhere}, {"account": self._somebody}, {})
        places = itertools.cycle(where)
        rows = [self._number(serial, manager=self.manager, **next(places)) for serial in self.serials(count)]
        made = Number.objects.bulk_create(rows)
        about: dict[str, Any] = {"kind": "number", "manager": self.manager, "price_micros": MICROS, "anchored_at": self.now, **self.one_day}
        Term.objects.bulk_create(Term(number=number, **about) for number in made)

    def stock(self, count: int) -> None:
        """What the operator has to let."""
        Number.objects.bulk_create(self._number(serial, area=f"Area {serial % 200}") for serial in self.serials(count))

    def accounts(self, count: int) -> None:
        """Every second one at home, the others of people; each in a group."""
        group = AccountGroup.objects.create(manager=self.manager, name=f"Group {next(self._serials)}")
        people = iter(self._people(count))
        rows = []
        for number, serial in enumerate(self.serials(count)):
            where: dict[str, Any] = {"person": next(people)} if number % 2 else {"profile": self.home, "extension": str(serial)}
            rows.append(BusinessAccount(manager=self.manager, name=f"Member.{serial}", created_at=self.now, **where))
        for account in BusinessAccount.objects.bulk_create(rows):
            account.groups.add(group)

    def groups(self, count: int) -> None:
        AccountGroup.objects.bulk_create(AccountGroup(manager=self.manager, name=f"Group {serial}") for serial in self.serials(count))

    def members(self, count: int) -> None:
        about: dict[str, Any] = {"manager": self.manager, "role": Role.READ_ONLY, "since": self.now}
        Membership.objects.bulk_create(Membership(person=person, **about) for person in self._people(count))

    def invitations(self, count: int) -> None:
        about: dict[str, Any] = {"manager": self.manager, "role": Role.BILLING, "created_at": self.now, "expires_at": self.now + MONTH}
        Invitation.objects.bulk_create(
            Invitation(email=f"invited{serial}@example.com", token_digest=f"{serial:064}", **about) for serial in self.serials(count)
        )

    def landlines(self, count: int) -> None:
        """Every second one waits for proof, to be shown at home."""
        proven: dict[str, Any] = {"proof": Landline.Proof.OPERATOR, "proven_at": self.now}
        rows = [
            Landline(
                manager=self.manager,
                e164=f"1310{serial:07}",
                created_at=self.now,
                **(proven if serial % 2 else {"wanted_by": self.home}),
            )
            for serial in self.serials(count)
        ]
        Landline.objects.bulk_create(rows)

    def caller_id_rules(self, count: int) -> None:
        known = CallerIdRule.objects.filter(profile=self.home).count()
        CallerIdRule.objects.bulk_create(
            CallerIdRule(profile=self.home, country=country, e164="12025550100") for country in COUNTRIES[known : known + count]
        )

    def documents(self, count: int) -> None:
        about: dict[str, Any] = {"content_type": "application/pdf", "size_bytes": 9, "uploaded_at": self.now, "uploaded_by": "somebody"}
        CompanyDocument.objects.bulk_create(
            CompanyDocument(manager=self.manager, name=f"{serial}.pdf", stored_as=f"crowd{serial:027}", **about)
            for serial in self.serials(count)
        )

    def payment_methods(self, count: int) -> None:
        about: dict[str, Any] = {"manager": self.manager, "provider": "fake", "created_at": self.now}
        PaymentMethod.objects.bulk_create(
            PaymentMethod(token=f"token {serial}", label=f"Card {serial}", **about) for serial in self.serials(count)
        )

    def payments(self, count: int) -> None:
        about: dict[str, Any] = {"manager": self.manager, "provider": "fake", "currency": "USD", "created_at": self.now}
        about |= {"method": PaymentMethod.objects.filter(manager=self.manager).first(), "amount_micros": MICROS, "why": "auto_recharge"}
        Payment.objects.bulk_create(Payment(reference=f"crowd {serial}", state="succeeded", **about) for serial in self.serials(count))

    def history(self, count: int) -> None:
        self._audit([f"profile {self.home.pk}"] * count, "profile.rename")

    def api_tokens(self, count: int) -> None:
        about: dict[str, Any] = {"manager": self.manager, "role": Role.BILLING, "prefix": "tl_", "created_at": self.now}
        ApiToken.objects.bulk_create(ApiToken(name=f"Program {serial}", digest=f"{serial:064}", **about) for serial in self.serials(count))

    def webhooks(self, count: int) -> None:
        """And as many deliveries to the company's first."""
        about: dict[str, Any] = {"manager": self.manager, "events": ["call.ended"], "secret_sealed": "x", "created_at": self.now}
        WebhookEndpoint.objects.bulk_create(
            WebhookEndpoint(url=f"https://hooks.example.com/{serial}", **about) for serial in self.serials(count)
        )
        first = WebhookEndpoint.objects.filter(manager=self.manager).order_by("pk").first()
        told: dict[str, Any] = {"endpoint": first, "kind": "call.ended", "payload": "{}", "created_at": self.now, "next_try_at": self.now}
        WebhookDelivery.objects.bulk_create(WebhookDelivery(event=f"call/{serial}", **told) for serial in self.serials(count))

    def live_calls(self, count: int) -> None:
        at_us = microseconds(self.now)
        about: dict[str, Any] = {"edge": "edge", "state": "answered", "direction": "outgoing", "caller_profile": self.home}
        about |= {
            "admitted_us": at_us,
            "answered_us": at_us,
            "facts": '{"number":"12125550100","destination":"United States","currency":"USD"}',
        }
        LiveCall.objects.bulk_create(
            LiveCall(call_ref=(at_us << 10) + serial, edge_key=f"key {serial}", **about) for serial in self.serials(count)
        )

    @cached_property
    def _elsewhere(self) -> Profile:
        return self.profiles(1)[0]

    @cached_property
    def _somebody(self) -> BusinessAccount:
        return BusinessAccount.objects.create(manager=self.manager, name=f"Somebody.{next(self._serials)}", created_at=self.now)

    def _people(self, count: int) -> list[Person]:
        about: dict[str, Any] = {"password": "!", "created_at": self.now, "email_verified_at": self.now}
        rows = [Person(account=f"person.{serial}", email=f"person{serial}@example.com", **about) for serial in self.serials(count)]
        return Person.objects.bulk_create(rows)

    def _purses(self, kind: str, names: list[str], currency: str, balance: int) -> list[Account]:
        about: dict[str, Any] = {"kind": kind, "currency": currency, "guarded": True, "balance": balance}
        return Account.objects.bulk_create(Account(name=name, **about) for name in names)

    def _registration(self, profile: Profile) -> Registration:
        at_us = microseconds(self.now)
        source = f"udp:192.0.2.1:{1024 + profile.pk % 60_000}"
        moments = {"since_us": at_us, "refreshed_us": at_us, "expires_us": at_us + 86_400 * MICROS, "cseq": 1}
        about = {"contact": "sip:100@192.0.2.1", "source": source, "socket": "udp:192.0.2.9:5060", "behind_nat": False}
        return Registration(profile=profile, user_agent="A PBX 20.1", call_id="a7c1@pbx", **about, **moments)

    def _number(self, serial: int, **about: Any) -> Number:
        return Number(e164=f"1646{serial:07}", country="US", **{"area": "New York", "monthly_price_micros": MICROS} | about)

    def _audit(self, targets: list[str], action: str) -> None:
        about: dict[str, Any] = {"at": self.now, "actor": "Architects.Admin", "source": "web 192.0.2.1", "action": action}
        about |= {"manager": self.manager, "before": {"name": "Sales"}, "after": {"name": "Engineering"}}
        AuditEntry.objects.bulk_create((AuditEntry(target=target, **about) for target in targets), batch_size=2000)


KINDS = (
    "profiles", "deleted_profiles", "bundles", "numbers", "stock", "accounts", "groups", "members", "invitations", "landlines", "caller_id_rules",
    "documents", "payment_methods", "payments", "history", "api_tokens", "webhooks", "live_calls",
)  # fmt: skip
