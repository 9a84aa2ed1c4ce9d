"""Which provider this instance has (`TRUNKLINE_PAYMENT_PROVIDER`)."""

from __future__ import annotations

from trunkline.domain.errors import Conflict
from trunkline.providers.payments.contract import PaymentProvider
from trunkline.providers.payments.fake import FakePayments
from trunkline.providers.payments.stripe_cards import StripeCards
from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import Settings, load_settings

NONE = "This instance takes no payments online: set TRUNKLINE_PAYMENT_PROVIDER, or book payments by hand (`./trunkline credit book`)."


def payment_provider(settings: Settings | None = None) -> PaymentProvider:
    """Raises Conflict when there is none."""
    settings = settings or load_settings()
    match settings.payments:
        case "fake":
            return fake_payments(settings)
        case "stripe":
            return StripeCards(
                secret_key=settings.stripe_secret_key,
                webhook_secret=settings.stripe_webhook_secret,
                home_url=f"{settings.web_url}/",
            )
        case _:
            raise Conflict(NONE)


def fake_payments(settings: Settings | None = None) -> FakePayments:
    """Raises Conflict when this instance has another one: nobody gets Credit for nothing there."""
    settings = settings or load_settings()
    if settings.payments != "fake":
        raise Conflict("The fake payment provider is off.")
    return FakePayments(path=settings.fake_payments_path, key=derived_key(settings, "fake payments"))
