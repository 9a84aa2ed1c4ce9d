"""The tables.

Conventions
- Money is `BIGINT` micro-units (1 USD = 1,000,000) beside a currency; minutes of a bundle are whole seconds in the same ledger (`SEC`).
- Moments are aware UTC `*_at`. The tables that call control writes on the hot path (`LiveCall`, `CallRecord`, `Registration`) keep
  moments as integer microseconds since the epoch (`*_us`): they are compared and added there, never shown there.
- Rules that must never break are database constraints as well.
- The hot tables carry only the indexes that are read: no automatic one per foreign key, no `LIKE` index beside a unique key.

Lock order (PostgreSQL row locks; SQLite takes its one write lock at BEGIN): ledger accounts by ascending id, then channel use by ascending
profile id, then everything else. See `trunkline.store.locks`.
"""

from __future__ import annotations

from trunkline.store.models.accounts import (
    AccountGroup,
    BusinessAccount,
    CallerIdRule,
    CompanyDetails,
    CompanyDocument,
    Landline,
    NumberAgreement,
)
from trunkline.store.models.api import ApiRequest, ApiToken, WebhookDelivery, WebhookEndpoint, WebhookPosition
from trunkline.store.models.calls import CallRecord, CallRefField, JournalPosition, LiveCall, ManagerUsage, Registration, UsageBucket
from trunkline.store.models.carriers import Carrier, CarrierRoute
from trunkline.store.models.changes import AuditEntry, Change, ClockOffset
from trunkline.store.models.companies import ChannelUse, Manager, Number, Profile
from trunkline.store.models.ledger import Account, Posting, StatementHead
from trunkline.store.models.mail import Mail
from trunkline.store.models.payments import Dispute, Payment, PaymentMethod, ProviderEvent, PurchaseLimit, Refund
from trunkline.store.models.people import CacheEntry, Invitation, Membership, Person, Role
from trunkline.store.models.prices import BundleProduct, Price, PriceList
from trunkline.store.models.service import FraudLook, Incident, IncidentNote
from trunkline.store.models.terms import RechargeRule, Term

__all__ = [
    "Account",
    "AccountGroup",
    "ApiRequest",
    "ApiToken",
    "AuditEntry",
    "BundleProduct",
    "BusinessAccount",
    "CacheEntry",
    "CallRecord",
    "CallRefField",
    "CallerIdRule",
    "Carrier",
    "CarrierRoute",
    "Change",
    "ChannelUse",
    "ClockOffset",
    "CompanyDetails",
    "CompanyDocument",
    "Dispute",
    "FraudLook",
    "Incident",
    "IncidentNote",
    "Invitation",
    "JournalPosition",
    "Landline",
    "LiveCall",
    "Mail",
    "Manager",
    "ManagerUsage",
    "Membership",
    "Number",
    "NumberAgreement",
    "Payment",
    "PaymentMethod",
    "Person",
    "Posting",
    "Price",
    "PriceList",
    "Profile",
    "ProviderEvent",
    "PurchaseLimit",
    "RechargeRule",
    "Refund",
    "Registration",
    "Role",
    "StatementHead",
    "Term",
    "UsageBucket",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookPosition",
]
