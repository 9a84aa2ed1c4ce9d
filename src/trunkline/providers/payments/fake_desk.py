"""The fake provider's other side: what a payer, a bank or its clerk decides, and the events that follow.

Each function returns the ids of new events; `undelivered` ones are sent by `deliver`, once or again.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec

from trunkline.domain.errors import Conflict, NotFound
from trunkline.providers.payments.contract import Event, Told
from trunkline.providers.payments.fake import CARDS, DECLINED_REASON, FakePayments, payment_event
from trunkline.providers.payments.fake_book import KINDS, Book, Row, open_book
from trunkline.providers.payments.fake_seal import sign

Post = Callable[[bytes, str], int]
"""Sends a body with its signature; returns the HTTP status, 0 when nobody answered."""

ANSWER_TIMEOUT_SECONDS = 10.0
DECISIONS = {"approve": "succeeded", "decline": "open", "fail": "failed", "cancel": "cancelled", "pending": "pending"}
SAID = {
    "approve": Told.SUCCEEDED,
    "decline": Told.TRY_FAILED,
    "fail": Told.FAILED,
    "cancel": Told.CANCELLED,
    "pending": Told.PROCESSING,
}
DISPUTES = {"won": Told.DISPUTE_WON, "lost": Told.DISPUTE_LOST}


def everything(fake: FakePayments) -> dict[str, list[Row]]:
    """What there is, by kind, newest first."""
    with open_book(fake.path) as book:
        return {kind: book.newest(kind) for kind in KINDS}


def find(fake: FakePayments, kind: str, ident: str) -> Row:
    with open_book(fake.path) as book:
        return _known(book, kind, ident)


def decide(fake: FakePayments, ident: str, decision: str) -> str:
    """The payer, or the bank, decides about a payment that is open or pending."""
    with open_book(fake.path) as book:
        row = _known(book, "payment", ident)
        if row["state"] not in {"open", "pending"}:
            raise Conflict(f"This payment is {row['state']} already.")
        row = book.put(
            "payment", **row | {"state": DECISIONS[decision], "reason": DECLINED_REASON if decision in {"decline", "fail"} else ""}
        )
        return _event(book, payment_event(row, SAID[decision], event_id=_new()))


def store_card(fake: FakePayments, setup_id: str, card: str) -> str:
    """The payer stores one of `CARDS`."""
    if card not in CARDS:
        raise NotFound("There is no such demo card.")
    with open_book(fake.path) as book:
        setup = _known(book, "setup", setup_id)
        if setup["token"]:
            raise Conflict("A card was stored here already.")
        token = f"card_{uuid4().hex}"
        book.put("method", id=token, card=card, forgotten=False)
        book.put("setup", **setup | {"token": token})
        about = {"about": setup_id, "manager_id": setup["manager_id"]}
        return _event(book, Event(event_id=_new(), told=Told.METHOD_SET_UP, name="card.stored", **about))


def refund(fake: FakePayments, payment_id: str) -> str:
    """By its clerk: all that is left."""
    with open_book(fake.path) as book:
        row = _known(book, "payment", payment_id)
        left = row["amount_micros"] - row["refunded"]
        if row["state"] != "succeeded" or not left:
            raise Conflict("There is nothing to refund.")
        book.put("payment", **row | {"refunded": row["amount_micros"]})
        made = book.put("refund", id=f"refund_{uuid4().hex}", payment=payment_id, reference="", amount_micros=left)
        return _event(book, _about(row, Told.REFUNDED, made["id"], left, "requested at the provider"))


def open_dispute(fake: FakePayments, payment_id: str) -> str:
    with open_book(fake.path) as book:
        row = _known(book, "payment", payment_id)
        if row["state"] != "succeeded":
            raise Conflict("Only what was paid can be disputed.")
        made = book.put("dispute", id=f"dispute_{uuid4().hex}", payment=payment_id, amount_micros=row["amount_micros"], state="open")
        return _event(book, _about(row, Told.DISPUTED, made["id"], made["amount_micros"], "the card's owner did not recognise it"))


def close_dispute(fake: FakePayments, dispute_id: str, end: str) -> str:
    """`end`: won (by the company) or lost."""
    with open_book(fake.path) as book:
        dispute = _known(book, "dispute", dispute_id)
        if dispute["state"] != "open":
            raise Conflict(f"This dispute is {dispute['state']} already.")
        book.put("dispute", **dispute | {"state": end})
        row = _known(book, "payment", dispute["payment"])
        return _event(book, _about(row, DISPUTES[end], dispute_id, dispute["amount_micros"], ""))


def deliver(fake: FakePayments, event_id: str, post: Post) -> int:
    """Signs and sends an event, again if it was sent before. Returns the answer's status."""
    row = find(fake, "event", event_id)
    body = row["body"].encode()
    status = post(body, sign(body, fake.key))
    with open_book(fake.path) as book:
        known = _known(book, "event", event_id)
        book.put("event", **known | {"deliveries": known["deliveries"] + 1, "answer": status})
    return status


def post_to(url: str) -> Post:
    """By HTTP, as a real provider does."""

    def post(body: bytes, signature: str) -> int:
        headers = {"Content-Type": "application/json", FakePayments.signature_header: signature}
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return int(refused.code)
        except OSError:
            return 0

    return post


def _about(row: Row, told: Told, about: str, amount_micros: int, reason: str) -> Event:
    facts: dict[str, Any] = {"reference": row["reference"], "provider_reference": row["id"], "currency": row["currency"]}
    return Event(event_id=_new(), told=told, name=str(told), about=about, amount_micros=amount_micros, reason=reason, **facts)


def _event(book: Book, event: Event) -> str:
    body = msgspec.json.encode(event).decode()
    book.put("event", id=event.event_id, body=body, said=event.name, about=event.provider_reference or event.about, deliveries=0, answer=0)
    return event.event_id


def _known(book: Book, kind: str, ident: str) -> Row:
    row = book.get(kind, ident)
    if row is None:
        raise NotFound(f"The fake provider knows no {kind} {ident[:40]!r}.")
    return row


def _new() -> str:
    return f"event_{uuid4().hex}"
