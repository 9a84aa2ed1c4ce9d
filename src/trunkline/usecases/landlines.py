"""Landlines of a verified company, that its profiles may show: entered, proven, refused, removed (SPEC R8.1; guide 7.6.1, 7.6.3)."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.caller_id import read_landline
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_name
from trunkline.store import ledger
from trunkline.store.models import CallerIdRule, Landline, Manager, Number, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.caller_id import stop_showing
from trunkline.usecases.mail import put_in_outbox
from trunkline.usecases.profile_changes import change

MOST_LANDLINES = 500


def add_landline(*, now: datetime, by: By, manager_id: int, number: str, profile_id: int | None = None) -> Landline:
    """Waits for proof that it is the company's. `profile_id`: the profile that shows it from then on.

    Raises `Conflict` for a company that is not verified.
    """
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, manager_id)
        if manager.verification != Manager.Verification.VERIFIED:
            raise Conflict("Only verified companies may show a landline: have your company verified first.")
        e164 = read_landline(number, manager.country)
        _check_new(manager_id, e164)
        profiles = Profile.objects.filter(manager_id=manager_id).exclude(state=Profile.State.DELETED)
        if profile_id is not None and not profiles.filter(pk=profile_id).exists():
            raise NotFound(f"There is no SIP Profile {profile_id} of this company.")
        landline = Landline.objects.create(manager=manager, e164=e164, wanted_by_id=profile_id, created_at=doing.now)
        doing.audit("landline.add", f"+{e164}", manager_id=manager_id)
    return landline


def prove_landline(*, now: datetime, by: By, landline_id: int, note: str) -> None:
    """By the operator; `note` says by what. The profile that waited for it shows it from now on."""
    note = check_name(note, "note", longest=200)
    seen = _landline(landline_id)
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, seen.manager_id)
        if manager.verification != Manager.Verification.VERIFIED:
            raise Conflict(f"{manager.company_name} is not verified any more: verify it first, then prove its landlines.")
        wanting = doing.locks.many(Profile, [seen.wanted_by_id] if seen.wanted_by_id else [])
        landline = _lock_waiting(doing, landline_id)
        landline.proof, landline.proven_at, landline.note, landline.wanted_by = Landline.Proof.OPERATOR, doing.now, note, None
        landline.save(update_fields=["proof", "proven_at", "note", "wanted_by"])
        doing.audit("landline.prove", f"+{landline.e164}", manager_id=landline.manager_id, after={"note": note})
        for profile in wanting.values():
            if profile.state != Profile.State.DELETED:
                change(doing, profile, "caller_id", reason="landline proven", caller_id=landline.e164)
        _write(doing, "landline_proven", landline, {"profile": ", ".join(profile.name for profile in wanting.values())})


def refuse_landline(*, now: datetime, by: By, landline_id: int, reason: str) -> None:
    """By the operator: it is gone, and the company may enter it again."""
    reason = check_name(reason, "reason", longest=200)
    seen = _landline(landline_id)
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, seen.manager_id)
        landline = _lock_waiting(doing, landline_id)
        doing.audit("landline.refuse", f"+{landline.e164}", manager_id=landline.manager_id, after={"reason": reason})
        _write(doing, "landline_refused", landline, {"reason": reason})
        landline.delete()


def remove_landline(*, now: datetime, by: By, manager_id: int, landline_id: int) -> None:
    """No profile shows it any more."""
    if not Landline.objects.filter(pk=landline_id, manager_id=manager_id).exists():
        raise NotFound("There is no such landline any more.")
    e164 = _landline(landline_id).e164
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        stop_showing_everywhere(doing, manager_id, [e164], reason="landline removed")
        landline = doing.locks.one(Landline, landline_id)
        doing.audit("landline.remove", f"+{landline.e164}", manager_id=manager_id)
        landline.delete()


def stop_showing_everywhere(doing: Work, manager_id: int, e164s: list[str], *, reason: str) -> None:
    """On none of the Manager's profiles; the Manager is locked, profiles are not yet."""
    showing = set(Profile.objects.filter(manager_id=manager_id, caller_id__in=e164s).values_list("pk", flat=True))
    showing |= set(CallerIdRule.objects.filter(profile__manager_id=manager_id, e164__in=e164s).values_list("profile_id", flat=True))
    for profile in doing.locks.many(Profile, showing).values():
        own = set(profile.numbers.values_list("e164", flat=True))
        for e164 in set(e164s) - own:
            stop_showing(doing, profile, e164, reason=reason)


def _check_new(manager_id: int, e164: str) -> None:
    if Number.objects.filter(e164=e164).exists():
        raise Invalid("number", f"+{e164} is an Online Number: add it to the profile instead.")
    if Landline.objects.filter(manager_id=manager_id, e164=e164).exists():
        raise Invalid("number", f"+{e164} is in the list already.")
    if Landline.objects.filter(manager_id=manager_id).count() >= MOST_LANDLINES:
        raise Conflict(f"A company has at most {MOST_LANDLINES} landlines: remove one first.")


def _landline(landline_id: int) -> Landline:
    landline = Landline.objects.filter(pk=landline_id).first()
    if landline is None:
        raise NotFound("There is no such landline any more.")
    return landline


def _lock_waiting(doing: Work, landline_id: int) -> Landline:
    landline = doing.locks.one(Landline, landline_id)
    if landline.proof != Landline.Proof.WAITING:
        raise Conflict(f"+{landline.e164} is proven already.")
    return landline


def _write(doing: Work, template: str, landline: Landline, context: dict[str, str]) -> None:
    manager = Manager.objects.get(pk=landline.manager_id)
    key = f"{template}/{landline.pk}/{ledger.microseconds(doing.now)}"
    put_in_outbox(doing, key=key, manager=manager, template=template, context={"number": f"+{landline.e164}", **context})
