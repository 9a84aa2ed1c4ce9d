"""What there is to do as time passes. A new duty is one line in `all_sweeps`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from trunkline.clock.catch_up import Sweep
from trunkline.clock.wiring import ask_for_payments_again, charge_method, recharge_manager
from trunkline.runtime.settings import load_settings
from trunkline.store import flags, outbox, pruning, recharges, reminders as reminder_rows
from trunkline.store.work import By
from trunkline.usecases import api_requests, mail, recharge, released_minutes, reminders, renewals, statements, webhooks

BY = By("clock", "trunkline")


def all_sweeps() -> list[Sweep]:
    """New ones for each loop: some remember how far they have looked."""
    return [
        Sweep("renewals", renewals.due_since, _renew),
        Sweep("released minutes", released_minutes.due_since, _expire, every_seconds=60),
        Sweep("payments", _always, lambda now, limit: ask_for_payments_again(now, BY, limit), every_seconds=20),
        Sweep("recharges", _recharges_due, _recharge),
        Sweep(
            "low balances", _low_balances_due, lambda now, limit: reminders.tell_low_balances(now=now, by=BY, limit=limit), every_seconds=5
        ),
        _reminders(),
        Sweep("mail", outbox.next_due, lambda now, limit: mail.send_due(now=now, limit=limit).sent, every_seconds=1),
        Sweep("events", _always, _note_events, every_seconds=2),
        Sweep("webhooks", webhooks.next_due, _tell, every_seconds=1),
        Sweep("hints of fraud", _hints_due, _look_for_fraud, every_seconds=20),
        Sweep("statements", _always, _close_months, every_seconds=600),
        _pruning(),
        Sweep("old requests", _always, lambda now, limit: _nothing_more(_prune_requests, now), every_seconds=600),
    ]


def _renew(now: datetime, limit: int) -> int:
    return renewals.renew_due(now=now, by=BY, limit=limit, recharge=recharge_manager).done


def _expire(now: datetime, limit: int) -> int:
    return released_minutes.expire_released_minutes(now=now, by=BY, limit=limit)


def _recharges_due(now: datetime) -> datetime | None:
    """A purse does not say since when it is low: it comes after all that was due before."""
    return now if recharges.due(now, 1) else None


def _recharge(now: datetime, limit: int) -> int:
    return recharge.recharge_due(now=now, by=BY, limit=limit, charge=charge_method).recharged


def _close_months(now: datetime, limit: int) -> int:
    statements.close_months(now=now, by=BY)
    return 0


def _hints_due(now: datetime) -> datetime | None:
    """Calls have the real time."""
    return now if flags.is_due(datetime.now(UTC)) else None


def _look_for_fraud(now: datetime, limit: int) -> int:
    return _nothing_more(flags.look, datetime.now(UTC))


def _note_events(now: datetime, limit: int) -> int:
    webhooks.note_events(now=now, engines_now=datetime.now(UTC))
    return 0


def _tell(now: datetime, limit: int) -> int:
    """Many at once even if other things are due: one after the other they would wait for each other's endpoints."""
    is_test = load_settings().test_clock
    done = webhooks.send_due(now=now, engines_now=datetime.now(UTC), by=BY, limit=webhooks.AT_ONCE, is_test=is_test)
    return done.sent + done.failed


def _prune_requests(now: datetime) -> int:
    return api_requests.prune(now) + webhooks.prune(now)


def _low_balances_due(now: datetime) -> datetime | None:
    return now if reminder_rows.crossed_low(1) else None


def _reminders() -> Sweep:
    """Looks at the time that has passed since it last looked; first at all that ends within a week."""
    looked: list[datetime | None] = [None]

    def run(now: datetime, limit: int) -> int:
        reminders.remind(now=now, by=BY, since=looked[0])
        looked[0] = now
        return 0

    return Sweep("reminders", _always, run, every_seconds=20)


def _pruning() -> Sweep:
    keeper = pruning.ChangesRead()
    return Sweep("old changes", _always, lambda now, limit: _nothing_more(keeper.prune, now), every_seconds=60)


def _always(now: datetime) -> datetime:
    return now


def _nothing_more(do: Callable[[datetime], int], now: datetime) -> int:
    do(now)
    return 0
