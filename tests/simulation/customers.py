"""What companies do with their Credit: buy, change, cancel, regret, allocate, take back. Each purchase is compared with the oracle's sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.simulation import oracle
from tests.simulation.oracle import Deal
from tests.simulation.world import BUNDLES, Company, World
from trunkline.domain.errors import Problem
from trunkline.domain.money import MICROS
from trunkline.store.models import Manager, Number, Profile, Term
from trunkline.usecases import bundles, credit, number_fees, profile_deletion, recharge_rules, subscriptions
from trunkline.usecases.terms import Bought

CHANNELS_ASKED = (1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 0, 105, 301)


@dataclass
class Customers:
    world: World

    def act(self, company: Company) -> None:
        what = self.world.chance.choices(list(self.ACTIONS), weights=list(self.ACTIONS.values()))[0]
        what(self, company, self.world.chance.choice(company.profile_ids))

    # Channels and bundles

    def channels(self, company: Company, profile_id: int) -> None:
        change = Term.objects.filter(profile_id=profile_id, kind="channels", ended_at=None).exists() and self.world.chance.random() < 0.9
        asked = self.world.chance.choice(CHANNELS_ASKED)
        deal = oracle.channels_deal(self._profile(profile_id), asked, self.world.now, change=change)
        do = subscriptions.change_channels if change else subscriptions.buy_channels
        given: dict[str, Any] = {"profile_id": profile_id, "channels": asked, "reference": self.world.name()}
        self._buy("change channels" if change else "buy channels", do, given, deal)

    def bundles(self, company: Company, profile_id: int) -> None:
        code = self.world.chance.choice(list(BUNDLES))
        product_id = self.world.product_ids[code]
        change = (
            Term.objects.filter(profile_id=profile_id, product_id=product_id, ended_at=None).exists() and self.world.chance.random() < 0.9
        )
        asked = self.world.chance.choice((1, 1, 2, 3, 0))
        deal = oracle.bundle_deal(self._profile(profile_id), code, product_id, asked, self.world.now, change=change)
        do = bundles.change_bundles if change else bundles.buy_bundles
        given: dict[str, Any] = {"profile_id": profile_id, "product_id": product_id, "quantity": asked, "reference": self.world.name()}
        self._buy("change bundles" if change else "buy bundles", do, given, deal)

    def cancel(self, company: Company, profile_id: int) -> None:
        """What is cancelled runs on to its end, and costs and gives back nothing."""
        product_id = self.world.chance.choice(list(self.world.product_ids.values()))
        about: dict[str, Any] = {"profile_id": profile_id, "product_id": product_id}
        self._settled(
            self.world.chance.choice(
                [
                    ("cancel channels", lambda: subscriptions.cancel_channels(**self.world.acting(), profile_id=profile_id)),
                    ("undo", lambda: subscriptions.undo_cancel_channels(**self.world.acting(), profile_id=profile_id)),
                    ("cancel bundles", lambda: bundles.cancel_bundles(**self.world.acting(), **about)),
                    ("extend", lambda: bundles.extend_bundles(**self.world.acting(), **about)),
                ]
            )
        )

    def end_bundle(self, company: Company, profile_id: int) -> None:
        product_id = self.world.chance.choice(list(self.world.product_ids.values()))
        term = next((each for each in oracle.running(profile_id, self.world.now) if each.product_id == product_id), None)
        follows = oracle.refund(term, self.world.now) if term is not None else None
        about: dict[str, Any] = {"profile_id": profile_id, "product_id": product_id, "at_once": True}
        done = self.world.attempt("end a bundle", lambda: bundles.cancel_bundles(**self.world.acting(), **about))
        if term is None:
            assert isinstance(done, Problem)
            return
        term.refresh_from_db()
        assert (term.end, term.refunded_micros) == ("cancelled", follows), (term.pk, term.refunded_micros, follows)

    # Numbers

    def number(self, company: Company, profile_id: int) -> None:
        number = Number.objects.get(pk=self.world.chance.choice(self.world.number_ids))
        deal = oracle.number_deal(Manager.objects.get(pk=company.manager_id), number, self.world.now)
        given: dict[str, Any] = {
            "manager_id": company.manager_id,
            "number_id": number.pk,
            "profile_id": profile_id,
            "reference": self.world.name(),
        }
        self._buy("rent a number", number_fees.rent_number, given, deal)

    def cancel_number(self, company: Company, profile_id: int) -> None:
        mine = list(Number.objects.filter(manager_id=company.manager_id).values_list("pk", flat=True))
        if mine:
            about: dict[str, Any] = {"manager_id": company.manager_id, "number_id": self.world.chance.choice(mine)}
            do = self.world.chance.choice([number_fees.cancel_number, number_fees.undo_cancel_number])
            self._settled((do.__name__, lambda: do(**self.world.acting(), **about)))

    # Credit

    def allocate(self, company: Company, profile_id: int) -> None:
        self._move("allocate", credit.allocate_credit, profile_id, Manager.objects.get(pk=company.manager_id).account_id)

    def take_back(self, company: Company, profile_id: int) -> None:
        self._move("take back", credit.take_back_credit, profile_id, self._profile(profile_id).account_id)

    def book(self, company: Company, profile_id: int) -> None:
        given: dict[str, Any] = {
            "manager_id": company.manager_id,
            "amount_micros": self.world.chance.randint(1, 80 * MICROS),
            "reference": self.world.name(),
        }
        self.world.attempt("book", lambda: credit.book_payment(**self.world.acting(), **given))

    def recharge(self, company: Company, profile_id: int) -> None:
        chance = self.world.chance
        whose: dict[str, Any] = chance.choice([{"manager_id": company.manager_id}, {"profile_id": profile_id}])
        if chance.random() < 0.15:
            self.world.attempt("no recharge", lambda: recharge_rules.disable_recharge(**self.world.acting(), **whose))
            return
        given: dict[str, Any] = {
            "threshold_micros": chance.randint(1, 10) * MICROS,
            "amount_micros": chance.randint(3, 40) * MICROS,
            "confirmed": True,
        }
        limit = chance.choice([None, 60 * MICROS])
        self.world.attempt(
            "recharge rule", lambda: recharge_rules.set_recharge(**self.world.acting(), **whose, **given, monthly_limit_micros=limit)
        )

    # A whole profile

    def delete(self, company: Company, profile_id: int) -> None:
        """Everything of it goes back to the Manager, and another one takes its place."""
        profile = self._profile(profile_id)
        here = [term for term in oracle.running(profile_id, self.world.now) if term.kind == "bundle"]
        expected = {term.pk: oracle.refund(term, self.world.now) for term in here}
        self.world.attempt("delete a profile", lambda: profile_deletion.delete_profile(**self.world.acting(), profile_id=profile_id))
        profile.refresh_from_db()
        if profile.state != Profile.State.DELETED:
            return
        assert oracle.free(profile.account_id) == 0
        ended = Term.objects.filter(pk__in=expected).values_list("pk", "refunded_micros")
        assert dict(ended) == expected
        company.profile_ids.remove(profile_id)
        company.profile_ids.append(self.world.make_profile(company.manager_id))

    ACTIONS: ClassVar[dict[Callable[[Customers, Company, int], None], float]] = {
        channels: 5, bundles: 5, cancel: 4, end_bundle: 1, number: 2, cancel_number: 1, allocate: 6, take_back: 2, book: 3, recharge: 2,
        delete: 0.1,
    }  # fmt: skip

    def _buy(self, what: str, do: Callable[..., Bought], given: dict[str, Any], deal: Deal | None) -> None:
        done = self.world.attempt(what, lambda: do(**self.world.acting(), **given))
        if isinstance(done, Problem):
            assert deal is None, f"{what} {given} was refused: {done}, but should be {deal}"
            return
        assert deal is not None, f"{what} {given} came to {done}, but should be refused"
        came_to = Deal(done.quantity, done.price_micros, done.refund_micros, done.starts_at, done.ends_at)
        assert came_to == deal, f"{what} {given} came to {came_to}, not to {deal}"
        term = Term.objects.select_related("previous").get(pk=done.term_id)
        assert (term.previous.refunded_micros if term.previous and term.previous.end == "changed" else 0) == deal.refund

    def _settled(self, action: tuple[str, Callable[[], Any]]) -> None:
        """Nothing moves but what was cancelled long ago and ends on the way."""
        self.world.attempt(*action)

    def _move(self, what: str, do: Callable[..., Any], profile_id: int, from_id: int) -> None:
        amount = self.world.chance.randint(1, 25 * MICROS)
        there = oracle.free(from_id)
        given: dict[str, Any] = {"profile_id": profile_id, "amount_micros": amount, "reference": self.world.name()}
        done = self.world.attempt(what, lambda: do(**self.world.acting(), **given))
        assert isinstance(done, Problem) == (amount > there), f"{what} {amount} of {there}: {done}"
        assert oracle.free(from_id) == there - (0 if isinstance(done, Problem) else amount)

    def _profile(self, profile_id: int) -> Profile:
        return Profile.objects.select_related("manager").get(pk=profile_id)
