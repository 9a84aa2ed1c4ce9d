"""The rows of the outbox: put in, claimed, looked at."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from trunkline.domain.errors import NotFound
from trunkline.store.models import Mail


def put_in(mail: Mail) -> bool:
    """False: a mail with this key is there already. Nobody's transaction fails over it."""
    before = Mail.objects.filter(key=mail.key).exists()
    if not before:
        Mail.objects.bulk_create([mail], ignore_conflicts=True)
    return not before


def to_send(now: datetime, limit: int) -> list[Mail]:
    return list(_unsent().filter(next_try_at__lte=now).order_by("next_try_at", "id")[:limit])


def next_due(now: datetime) -> datetime | None:
    return _unsent().filter(next_try_at__lte=now).order_by("next_try_at").values_list("next_try_at", flat=True).first()


def claim(mail: Mail, *, until: datetime) -> bool:
    """True for one of all who try: nobody else takes it up before `until`."""
    claimed = _unsent().filter(pk=mail.pk, tries=mail.tries).update(tries=mail.tries + 1, next_try_at=until)
    return claimed == 1


def newest(*, manager_id: int | None = None, most: int = 50, only_given_up: bool = False) -> list[Mail]:
    """Newest first: all of them, or a Manager's, or those that an operator ought to look at."""
    mails = given_up() if only_given_up else Mail.objects.all()
    mails = mails if manager_id is None else mails.filter(manager_id=manager_id)
    return list(mails.select_related("manager").order_by("-id")[:most])


def given_up() -> QuerySet[Mail]:
    """What could not be sent."""
    return Mail.objects.filter(given_up_at__isnull=False)


def mail(ident: int) -> Mail:
    found = Mail.objects.select_related("manager").filter(pk=ident).first()
    if found is None:
        raise NotFound(f"There is no mail {ident}: `mail list` shows them.")
    return found


def _unsent() -> QuerySet[Mail]:
    return Mail.objects.filter(sent_at__isnull=True, given_up_at__isnull=True)
