"""Payments, as people, banks and a provider make them: approved, declined, late, told twice, told before they are known, disputed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.world import Company, World
from trunkline.domain.errors import Conflict, Problem
from trunkline.domain.money import MICROS
from trunkline.providers.payments import fake_desk
from trunkline.providers.payments.fake import CARDS
from trunkline.store.models import Manager, Payment, PaymentMethod
from trunkline.usecases import managers, payment_events, payment_methods, payments, refunds
from trunkline.usecases.payments import TopUp

DAY_SECONDS = 86_400


@dataclass
class Payers:
    world: World
    disputes: list[str] = field(default_factory=list)

    def act(self, company: Company) -> None:
        doing = self.world.chance.choices(
            [self.top_up, self.store_card, self.remove_card, self.refund, self.refund_there, self.dispute, self.close_dispute, self.resume],
            weights=[10, 2, 0.5, 1, 0.5, 1, 1, 2],
        )[0]
        doing(company)

    def top_up(self, company: Company) -> None:
        given: dict[str, Any] = {"manager_id": company.manager_id, "amount_micros": self.world.chance.randint(1, 6000) * MICROS // 100}
        given |= {"reference": self.world.name(), "return_url": "", "provider": self.world.provider}
        card = self._card(company)
        if card is not None and self.world.chance.random() < 0.4:
            given["method_id"] = card.pk
        done = self.world.attempt("top up", lambda: payments.start_top_up(**self.world.acting(), **given))
        if isinstance(done, TopUp) and done.state == Payment.State.ACTION_NEEDED:
            ident = done.action_url.rsplit("/", 1)[1]
            if self.world.chance.random() < 0.9:
                self.world.soon(self.world.chance.choice((300, 3 * DAY_SECONDS)), lambda: self._decide(ident))

    def store_card(self, company: Company) -> None:
        given: dict[str, Any] = {
            "manager_id": company.manager_id,
            "reference": self.world.name(),
            "return_url": "",
            "provider": self.world.provider,
        }
        done = self.world.attempt("add a card", lambda: payment_methods.add_method(**self.world.acting(), **given))
        if not isinstance(done, Problem):
            ident = done.action_url.rsplit("/", 1)[1]
            card = self.world.chance.choice(["good", "good", "good", *CARDS])
            self._tell(lambda: fake_desk.store_card(self.world.provider, ident, card))

    def remove_card(self, company: Company) -> None:
        if (card := self._card(company)) is not None:
            given: dict[str, Any] = {"manager_id": company.manager_id, "method_id": card.pk, "provider": self.world.provider}
            self.world.attempt("remove a card", lambda: payment_methods.remove_method(**self.world.acting(), **given))

    def refund(self, company: Company) -> None:
        """By the operator, of what it may still be."""
        if (payment := self._payment(company)) is not None:
            given: dict[str, Any] = {
                "payment_id": payment.pk,
                "amount_micros": self.world.chance.randint(1, payment.amount_micros // 10_000) * 10_000,
            }
            given |= {"reference": self.world.name(), "reason": "asked for", "provider": self.world.provider}
            self.world.attempt("refund", lambda: refunds.refund(**self.world.acting(), **given))

    def refund_there(self, company: Company) -> None:
        if (payment := self._payment(company)) is not None:
            self._tell(lambda: fake_desk.refund(self.world.provider, payment.provider_reference))

    def dispute(self, company: Company) -> None:
        if (payment := self._payment(company)) is not None:
            self._tell(lambda: fake_desk.open_dispute(self.world.provider, payment.provider_reference))
            self.world.counts["disputes"] += 1

    def close_dispute(self, company: Company) -> None:
        opened = [row["id"] for row in fake_desk.everything(self.world.provider)["dispute"] if row["state"] == "open"]
        if opened:
            ident, end = self.world.chance.choice(opened), self.world.chance.choice(["won", "lost"])
            self._tell(lambda: fake_desk.close_dispute(self.world.provider, ident, end))

    def resume(self, company: Company) -> None:
        if Manager.objects.get(pk=company.manager_id).state == Manager.State.SUSPENDED:
            self.world.attempt("resume", lambda: managers.resume_manager(**self.world.acting(), manager_id=company.manager_id))

    def charge(self, *, reference: str, **given: Any) -> TopUp:
        """For Auto-recharge."""
        return payments.charge_method(**given, reference=reference, provider=self.world.provider)

    def _decide(self, ident: str) -> None:
        decision = self.world.chance.choice(["approve", "approve", "approve", "decline", "fail", "cancel", "pending"])
        self._tell(lambda: fake_desk.decide(self.world.provider, ident, decision))
        if decision in {"decline", "pending"} and self.world.chance.random() < 0.8:
            self.world.soon(DAY_SECONDS, lambda: self._decide(ident))

    def _tell(self, decide: Callable[[], str]) -> None:
        """The provider's event: at once, late, twice, or never."""
        try:
            ident = decide()
        except Conflict:
            return  # it was decided otherwise meanwhile
        for _ in range(self.world.chance.choice((0, 1, 1, 1, 1, 2, 3))):
            self.world.soon(self.world.chance.choice((1, 60, 2 * DAY_SECONDS)), lambda: self._deliver(ident))

    def _deliver(self, ident: str) -> None:
        provider = self.world.provider

        def post(body: bytes, signature: str) -> int:
            event = provider.parse_webhook(body, {provider.signature_header: signature})
            done = self.world.attempt("webhook", lambda: payment_events.apply_event(**self.world.acting(), provider=provider, event=event))
            assert not isinstance(done, Problem), done
            return 200

        fake_desk.deliver(provider, ident, post)

    def _card(self, company: Company) -> PaymentMethod | None:
        return PaymentMethod.objects.filter(manager_id=company.manager_id, removed_at=None).first()

    def _payment(self, company: Company) -> Payment | None:
        known = list(Payment.objects.filter(manager_id=company.manager_id, state="succeeded", provider="fake").order_by("-pk")[:5])
        return self.world.chance.choice(known) if known else None
