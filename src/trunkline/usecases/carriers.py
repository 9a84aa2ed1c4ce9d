"""Carriers: upstream SIP gateways, and which numbers they take (SPEC R6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.money import check_rate
from trunkline.domain.names import check_name
from trunkline.store import sealing
from trunkline.store.models import Carrier, CarrierRoute, Change, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.credentials import check_source

_PREFIX = re.compile(r"(?:[1-9][0-9]{0,14})?")
MOST_PRIORITY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where a carrier is and how it is spoken to. `host`: its address; its INVITEs come from there. `auth_user` empty: no digest."""

    host: str
    port: int = 5060
    transport: str = "udp"
    auth_user: str = ""
    auth_password: str = ""
    probe: bool = True


def create_carrier(*, now: datetime, by: By, name: str, gateway: Gateway, allow_private: bool = False) -> int:
    name = check_name(name, "name", longest=80)
    values = _checked(gateway, allow_private=allow_private)
    with work(now=now, by=by) as doing:
        if Carrier.objects.filter(name=name).exists():
            raise Conflict(f"There is a carrier {name} already.")
        carrier = Carrier.objects.create(name=name, **values)
        doing.audit("carrier.create", f"carrier {carrier.pk}", after={"name": name} | _loggable(gateway))
        doing.changed(Change.What.CARRIERS)
    return carrier.pk


def update_carrier(*, now: datetime, by: By, carrier_id: int, gateway: Gateway, allow_private: bool = False) -> None:
    values = _checked(gateway, allow_private=allow_private)
    with work(now=now, by=by) as doing:
        carrier = doing.locks.one(Carrier, carrier_id)
        before = {name: getattr(carrier, name) for name in values if name != "auth_password_sealed"}
        _save(carrier, values)
        doing.audit("carrier.update", f"carrier {carrier_id}", before=before, after=_loggable(gateway))
        doing.changed(Change.What.CARRIERS)


def set_carrier_enabled(*, now: datetime, by: By, carrier_id: int, enabled: bool) -> None:
    """A carrier that is not enabled gets no calls and may send none; calls in progress go on."""
    with work(now=now, by=by) as doing:
        carrier = doing.locks.one(Carrier, carrier_id)
        if carrier.enabled == enabled:
            raise Conflict(f"Carrier {carrier.name} is {'enabled' if enabled else 'disabled'} already.")
        _save(carrier, {"enabled": enabled})
        doing.audit("carrier.enabled", f"carrier {carrier_id}", before={"enabled": not enabled}, after={"enabled": enabled})
        doing.changed(Change.What.CARRIERS)


def set_route(*, now: datetime, by: By, carrier_id: int, prefix: str, priority: int = 10, cost_per_minute_micros: int = 0) -> None:
    """The carrier takes numbers that begin with `prefix` (E.164 digits; empty: all). Set again, it replaces priority and cost."""
    prefix = check_prefix(prefix)
    check_rate(cost_per_minute_micros, "cost_per_minute")
    if not 0 <= priority <= MOST_PRIORITY:
        raise Invalid("priority", f"The priority must be from 0 (first) to {MOST_PRIORITY}.")
    after = {"prefix": prefix, "priority": priority, "cost_per_minute_micros": cost_per_minute_micros}
    with work(now=now, by=by) as doing:
        carrier = doing.locks.one(Carrier, carrier_id)
        values = {"priority": priority, "cost_per_minute_micros": cost_per_minute_micros}
        CarrierRoute.objects.update_or_create(carrier=carrier, prefix=prefix, defaults=values)
        _log_route(doing, carrier_id, "carrier.route", after=after)


def remove_route(*, now: datetime, by: By, carrier_id: int, prefix: str) -> None:
    with work(now=now, by=by) as doing:
        carrier = doing.locks.one(Carrier, carrier_id)
        if not carrier.routes.filter(prefix=check_prefix(prefix)).delete()[0]:
            raise NotFound(f"Carrier {carrier.name} has no route for {prefix or 'all numbers'}.")
        _log_route(doing, carrier_id, "carrier.remove_route", before={"prefix": prefix})


def check_prefix(prefix: str) -> str:
    digits = prefix.strip().lstrip("+")
    if not _PREFIX.fullmatch(digits):
        raise Invalid("prefix", f"{prefix[:20]!r} is not the beginning of an international number: the country code comes first.")
    return digits


def _checked(gateway: Gateway, *, allow_private: bool) -> dict[str, Any]:
    """Column values."""
    host = check_source(gateway.host, allow_private=allow_private)
    if not 1 <= gateway.port <= 65535:
        raise Invalid("port", "The port must be from 1 to 65535; carriers mostly use 5060.")
    if gateway.transport not in ("udp", "tcp", "tls"):
        raise Invalid("transport", f"{gateway.transport[:10]!r} is not possible: choose udp, tcp or tls.")
    if bool(gateway.auth_user) != bool(gateway.auth_password):
        raise Invalid("auth_password", "Give both user and password, or neither.")
    if Profile.objects.filter(ip_auth_address=host, ip_auth_port=gateway.port).exists():
        raise Conflict(f"{host} port {gateway.port} is the PBX of a SIP Profile.")
    return {
        "host": host,
        "port": gateway.port,
        "transport": gateway.transport,
        "auth_user": check_name(gateway.auth_user, "auth_user", longest=80) if gateway.auth_user else "",
        "auth_password_sealed": sealing.seal(gateway.auth_password) if gateway.auth_password else "",
        "probe": gateway.probe,
    }


def _loggable(gateway: Gateway) -> dict[str, Any]:
    return {item.name: getattr(gateway, item.name) for item in fields(gateway) if item.name != "auth_password"}


def _save(carrier: Carrier, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(carrier, name, value)
    carrier.save(update_fields=list(values))


def _log_route(
    doing: Work, carrier_id: int, action: str, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    doing.audit(action, f"carrier {carrier_id}", before=before, after=after)
    doing.changed(Change.What.CARRIERS)
