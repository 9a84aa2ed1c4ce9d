"""How a company is wired: everything that the schematic shows, in a fixed number of queries (SPEC R11)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from trunkline.store.models import BusinessAccount, CallerIdRule, Landline, Number, Profile, Term

MOST_LOOSE = 1_000
"""Of each kind of thing that is on no profile: more is a stock, not a picture."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Profiles have with them: purse, channel use, registration, numbers, business accounts with theirs, Caller ID by country, and as `terms`
    their open bundles. The rest is on no profile: `numbers` are of no business account either."""

    profiles: list[Profile]
    numbers: list[Number]
    accounts: list[BusinessAccount]
    landlines: list[Landline]

    @property
    def is_cut(self) -> bool:
        return MOST_LOOSE in (len(self.numbers), len(self.accounts))


def wiring_of(manager_id: int) -> Wiring:
    """The numbers and accounts that are on no profile: the first thousand of each."""
    free = Number.objects.filter(manager_id=manager_id, profile=None, account=None).order_by("e164")
    off = BusinessAccount.objects.filter(manager_id=manager_id, profile=None).select_related("person").order_by("name")
    return Wiring(
        profiles=list(_profiles(manager_id)),
        numbers=list(free[:MOST_LOOSE]),
        accounts=list(off.prefetch_related(_numbers())[:MOST_LOOSE]),
        landlines=list(Landline.objects.filter(manager_id=manager_id).select_related("wanted_by").order_by("e164")),
    )


def _profiles(manager_id: int) -> QuerySet[Profile]:
    mine = Profile.objects.filter(manager_id=manager_id).exclude(state=Profile.State.DELETED)
    accounts = BusinessAccount.objects.order_by("name").prefetch_related(_numbers())
    bundles = Term.objects.filter(kind=Term.Kind.BUNDLE, ended_at=None).select_related("product", "minutes").order_by("starts_at")
    return (
        mine.select_related("account", "channeluse", "registration")
        .prefetch_related(
            _numbers(),
            Prefetch("business_accounts", accounts),
            Prefetch("caller_id_rules", CallerIdRule.objects.order_by("country")),
            Prefetch("terms", bundles),
        )
        .order_by("name")
    )


def _numbers() -> Prefetch[str, QuerySet[Number], str]:
    return Prefetch("numbers", Number.objects.order_by("e164"))
