"""A provider that takes no money: for the demo, for tests, and for those who want to see what happens when a card is declined.

People decide on its pages (`trunkline.manager.payments_fake`), which call `fake_desk`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec
from babel.numbers import get_currency_precision

from trunkline.domain.payments import to_minor
from trunkline.providers.payments.contract import (
    Asked,
    AuthenticationNeeded,
    Charged,
    Declined,
    Event,
    ProviderUnreachable,
    Refunded,
    Started,
    StoredMethod,
    Told,
    WebhookRefused,
)
from trunkline.providers.payments.fake_book import Book, Row, open_book
from trunkline.providers.payments.fake_seal import verify

CARDS = {
    "good": "Demo card that pays",
    "declined": "Demo card that is declined",
    "authentication": "Demo card that must be confirmed",
    "slow": "Demo card that takes its time",
    "lost_answer": "Demo card whose answer gets lost",
}
TOLD = {
    "open": Told.ACTION_NEEDED,
    "pending": Told.PROCESSING,
    "succeeded": Told.SUCCEEDED,
    "failed": Told.FAILED,
    "cancelled": Told.CANCELLED,
}
DECLINED_REASON = "The bank declined the card."


class FakePayments:
    name = "fake"
    signature_header = "Fake-Signature"

    def __init__(self, *, path: Path, key: bytes) -> None:
        self.path, self.key = path, key

    def check_amount(self, amount_micros: int, currency: str) -> None:
        to_minor(amount_micros, currency=currency, digits=get_currency_precision(currency))

    def create_payment(self, asked: Asked, *, return_url: str) -> Started:
        return_url = return_url or "/"
        with open_book(self.path) as book:
            row = self._payment(book, asked, return_url=return_url)
            row = book.put("payment", **row | {"state": "open", "return_url": return_url}) if row["state"] == "failed" else row
        return Started(row["id"], f"/pay/fake/payment/{row['id']}")

    def charge(self, asked: Asked, *, token: str, payer_present: bool) -> Charged:
        with open_book(self.path) as book:
            method = book.get("method", token)
            if method is None or method["forgotten"]:
                raise Declined("This card is not stored any more.", for_good=True)
            row = self._payment(book, asked, state=_first_state(method["card"]))
        if method["card"] == "lost_answer":
            raise ProviderUnreachable("The payment provider does not answer.")
        if method["card"] == "authentication":
            raise AuthenticationNeeded("The bank wants the card's owner to confirm this payment: pay by card on the payment page.")
        if row["state"] == "failed":
            raise Declined(DECLINED_REASON)
        return Charged(row["id"], pending=row["state"] == "pending")

    def set_up_method(self, *, manager_id: int, reference: str, currency: str, return_url: str) -> Started:
        ident = self._ident("setup", reference)
        with open_book(self.path) as book:
            book.get("setup", ident) or book.put("setup", id=ident, manager_id=manager_id, return_url=return_url, token="")
        return Started(ident, f"/pay/fake/card/{ident}")

    def method(self, about: str) -> StoredMethod:
        with open_book(self.path) as book:
            setup = book.get("setup", about)
            method = book.get("method", setup["token"]) if setup else None
        if method is None:
            raise Declined("No card was stored.")
        return StoredMethod(method["id"], CARDS[method["card"]], date(2099, 12, 1))

    def forget_method(self, token: str) -> None:
        with open_book(self.path) as book:
            if method := book.get("method", token):
                book.put("method", **method | {"forgotten": True})

    def refund(self, *, reference: str, provider_reference: str, amount_micros: int, currency: str) -> Refunded:
        ident = self._ident("refund", reference)
        with open_book(self.path) as book:
            if book.get("refund", ident) is None:
                payment = self._paid(book, provider_reference, amount_micros)
                book.put("payment", **payment | {"refunded": payment["refunded"] + amount_micros})
                book.put("refund", id=ident, payment=provider_reference, reference=reference, amount_micros=amount_micros)
        return Refunded(ident)

    def fetch(self, *, reference: str, provider_reference: str) -> Event | None:
        with open_book(self.path) as book:
            row = book.get("payment", provider_reference or self._ident("payment", reference))
        return None if row is None else payment_event(row, TOLD[row["state"]], event_id="")

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        verify(body, headers.get(self.signature_header, ""), self.key)
        try:
            return msgspec.json.decode(body, type=Event)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise WebhookRefused(f"It can't be read: {problem}") from problem

    def _payment(self, book: Book, asked: Asked, *, state: str = "open", return_url: str = "/") -> Row:
        """Made once; the same reference for something else is refused."""
        ident = self._ident("payment", asked.reference)
        facts = {"reference": asked.reference, "amount_micros": asked.amount_micros, "currency": asked.currency}
        known = book.get("payment", ident)
        if known is None:
            about = {"description": asked.description, "return_url": return_url, "refunded": 0}
            return book.put("payment", id=ident, state=state, reason="" if state != "failed" else DECLINED_REASON, **facts, **about)
        if any(known[name] != value for name, value in facts.items()):
            raise Declined("This reference was used for another payment: take another one.")
        return known

    def _paid(self, book: Book, ident: str, amount_micros: int) -> Row:
        payment = book.get("payment", ident)
        if payment is None or payment["state"] != "succeeded":
            raise Declined("The payment provider knows no such payment that was paid.")
        if payment["refunded"] + amount_micros > payment["amount_micros"]:
            raise Declined("More than was paid can't be refunded.")
        return payment

    def _ident(self, kind: str, reference: str) -> str:
        """Not to be guessed, and the same for the same reference."""
        return f"{kind}_{hashlib.blake2b(f'{kind}/{reference}'.encode(), key=self.key, digest_size=12).hexdigest()}"


def payment_event(row: Row, told: Told, *, event_id: str) -> Event:
    return Event(
        event_id=event_id,
        told=told,
        name=f"payment.{told}",
        reference=row["reference"],
        provider_reference=row["id"],
        amount_micros=row["amount_micros"],
        currency=row["currency"],
        reason=row["reason"] if told in {Told.FAILED, Told.TRY_FAILED} else "",
        action_url=f"/pay/fake/payment/{row['id']}" if told is Told.ACTION_NEEDED else "",
    )


def _first_state(card: str) -> str:
    states = {"good": "succeeded", "lost_answer": "succeeded", "slow": "pending"}
    return states.get(card, "failed")
