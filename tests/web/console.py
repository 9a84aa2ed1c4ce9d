"""What only the operator's console names in its addresses."""

from __future__ import annotations

from tests.store.cast import NOW
from trunkline.store.models import Carrier, Incident, Mail, ProviderEvent


def of_console(price_list_id: int) -> dict[str, object]:
    event, _ = ProviderEvent.objects.get_or_create(provider="fake", event_id="sample", defaults={"payload": {}, "received_at": NOW})
    mail, _ = Mail.objects.get_or_create(key="sample", defaults={"subject": "Low Credit", "created_at": NOW, "next_try_at": NOW})
    carrier, _ = Carrier.objects.get_or_create(name="Sample", host="192.0.2.1")
    incident = Incident.objects.create(title="Sample", part="calls", begins_at=NOW)
    idents = {"event_id": event.pk, "mail_id": mail.pk, "carrier_id": carrier.pk, "incident_id": incident.pk}
    return idents | {"price_list_id": price_list_id, "slug": "USD.card.verified", "call_ref": 1, "guide_slug": "prices"}
