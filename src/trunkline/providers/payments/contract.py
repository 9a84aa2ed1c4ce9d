"""What Trunkline wants of whoever takes payments. Amounts are micro-units; each provider refuses those that it cannot write exactly.

`reference` is ours and names a payment or refund to the provider: asking again with the same reference, within `REPEATABLE`, never pays twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

REPEATABLE = timedelta(hours=23)
"""Providers remember our references for a day: asked with one later, they could pay, or pay back, a second time."""


class PaymentError(Exception):
    """The base of what a provider answers instead of what was asked for. The text is for people."""


class Declined(PaymentError):  # noqa: N818 - what the field calls it
    """For certain nothing was paid. `for_good`: the same method will not do later either."""

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good


class AuthenticationNeeded(PaymentError):  # noqa: N818 - likewise
    """The bank wants its customer to confirm: not without them. Nothing was paid."""


class ProviderUnreachable(PaymentError):  # noqa: N818 - likewise
    """Nobody knows whether it happened: ask again with the same reference, or `fetch`."""


class WebhookRefused(PaymentError):  # noqa: N818 - likewise
    """Not from the provider, or too old, or not readable."""


class Told(StrEnum):
    """What happened, in words that all providers share."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    ACTION_NEEDED = "action_needed"
    TRY_FAILED = "try_failed"  # the payer may try again on the same page
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    METHOD_SET_UP = "method_set_up"
    NOTHING = "nothing"  # of no concern to us


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a provider tells, or what it answers to `fetch`. Empty: it does not say."""

    event_id: str
    told: Told
    name: str = ""  # the provider's own word for it
    reference: str = ""
    provider_reference: str = ""
    amount_micros: int = 0  # of the payment, of this refund, or in dispute
    currency: str = ""
    about: str = ""  # the provider's name of the refund, dispute or set-up
    about_reference: str = ""  # our reference of the refund
    reason: str = ""
    action_url: str = ""
    manager_id: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The payer goes on at `action_url`."""

    provider_reference: str
    action_url: str


@dataclass(frozen=True, slots=True)
class Charged:
    """`pending`: taken, but it takes its time; an event will tell."""

    provider_reference: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class StoredMethod:
    token: str
    label: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Refunded:
    provider_reference: str
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A payment, as the provider is asked for it."""

    reference: str
    amount_micros: int
    currency: str
    description: str


class PaymentProvider(Protocol):
    """Each call may raise PaymentError: Declined or ProviderUnreachable, `charge` AuthenticationNeeded as well."""

    name: str
    signature_header: str

    def check_amount(self, amount_micros: int, currency: str) -> None:
        """Raises `Invalid` for what this provider can't write exactly."""

    def create_payment(self, asked: Asked, *, return_url: str) -> Started:
        """A page on which the payer pays. They come back to `return_url`; empty: to our first page."""

    def charge(self, asked: Asked, *, token: str, payer_present: bool) -> Charged:
        """A stored method, without its owner's help. `payer_present`: when it fails, they may try another way; an event is not the end."""

    def set_up_method(self, *, manager_id: int, reference: str, currency: str, return_url: str) -> Started:
        """A page on which a method is stored; METHOD_SET_UP tells when it is."""

    def method(self, about: str) -> StoredMethod:
        """What a METHOD_SET_UP event is about."""

    def forget_method(self, token: str) -> None:
        """It is never charged again. Forgetting twice is fine."""

    def refund(self, *, reference: str, provider_reference: str, amount_micros: int, currency: str) -> Refunded:
        """Part of a payment, or all of it."""

    def fetch(self, *, reference: str, provider_reference: str) -> Event | None:
        """How a payment stands. None: it was never made there."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Verified and read, or WebhookRefused."""
