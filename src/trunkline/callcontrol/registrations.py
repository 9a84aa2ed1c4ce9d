"""Where each PBX is registered: one device for each SIP Profile, the last one wins, and a take-over is remembered (SPEC R2.5, R2.6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from trunkline.callcontrol.protocol import Registered
from trunkline.store.directory import Registered as Binding, StoreDirectory
from trunkline.store.hotpath import Writes

MICROSECONDS = 1_000_000
CALL_ID_KEPT = 200


@dataclass(slots=True)
class _Device:
    contact: str
    call_id: str
    cseq: int
    since_us: int
    expires_us: int
    displaced_contact: str = ""
    displaced_us: int | None = None


@dataclass(slots=True)
class Registrar:
    """Keeps registrations in memory and adds what changed to a turn's writes."""

    directory: StoreDirectory
    _devices: dict[int, _Device] = field(default_factory=dict)

    def load(self, rows: list[tuple[Any, ...]]) -> None:
        """At start, rows in `hotpath.REGISTRATION_COLUMNS` order."""
        self.directory.load_registrations(rows)
        for row in rows:
            profile_id, contact, _, _, _, _, call_id, cseq, since_us, _, expires_us, displaced, displaced_us, _ = row
            self._devices[profile_id] = _Device(contact, call_id, cseq, since_us, expires_us, displaced, displaced_us)

    def registered(self, event: Registered, writes: Writes) -> None:
        """A REGISTER was accepted."""
        known = self._devices.get(event.p)
        event.call_id = event.call_id[:CALL_ID_KEPT]
        if known is not None and known.call_id == event.call_id and event.cseq < known.cseq:
            return  # RFC 3261 10.3 step 7: an older request that came late
        if self.directory.profile(event.p) is None:
            return
        if event.exp == 0:
            self._remove(event, known, writes)
        else:
            self._store(event, known, writes)
        if event.old:
            writes.old_passwords.append((datetime.fromtimestamp(event.at / MICROSECONDS, tz=UTC), event.p))

    def _remove(self, event: Registered, known: _Device | None, writes: Writes) -> None:
        """A device takes back its own registration, never the one of the device that took over from it."""
        if known is None or event.contact not in ("*", known.contact):
            return
        del self._devices[event.p]
        self.directory.registrations.pop(event.p, None)
        writes.registrations_gone.append((event.p,))

    def _store(self, event: Registered, known: _Device | None, writes: Writes) -> None:
        device = _Device(event.contact, event.call_id, event.cseq, event.at, event.at + event.exp * MICROSECONDS)
        if known is not None and known.expires_us > event.at:
            self._take_over(device, known, event.at)
        self._devices[event.p] = device
        before = self.directory.registrations.get(event.p)
        offered = before.srtp_offered if before is not None and before.user_agent == event.ua[:200] else None
        self.directory.registrations[event.p] = Binding(event.contact, event.src, device.expires_us, event.ua[:200], offered)
        writes.registrations.append((
            event.p, event.contact, event.src[:80], event.sock[:80], bool(event.nat), event.ua[:200], event.call_id, event.cseq,
            device.since_us, event.at, device.expires_us, device.displaced_contact, device.displaced_us, offered,
        ))  # fmt: skip

    def note_offer(self, profile_id: int, writes: Writes, *, srtp: bool) -> None:
        """A PBX makes a call: what it offers it gets (SPEC R10.2), until another kind of device registers."""
        known = self.directory.registrations.get(profile_id)
        if known is not None and known.srtp_offered is not srtp:
            self.directory.registrations[profile_id] = replace(known, srtp_offered=srtp)
            writes.srtp_offered.append((srtp, profile_id))

    @staticmethod
    def _take_over(device: _Device, known: _Device, at_us: int) -> None:
        if known.contact == device.contact or known.call_id == device.call_id:
            device.since_us = known.since_us
            device.displaced_contact, device.displaced_us = known.displaced_contact, known.displaced_us
        else:
            device.displaced_contact, device.displaced_us = known.contact, at_us
