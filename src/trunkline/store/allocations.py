"""What a month's Credit was spent on beside calls: channels, bundles, numbers, and Credit in and out (SPEC R9.1)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from trunkline.domain.months import Month
from trunkline.store.models import Account, Posting, Profile, StatementHead, Term

CALLS = ("call", "call_back")
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Allocation:
    """One movement of a Manager's Credit: `amount_micros` is negative when it left. `profile_id`: the SIP Profile that it was for, if any.

    `kind` is the posting's: channels, bundle, number, term_refund, allocate, take_back, recharge, payment, refund, ...
    """

    posting_id: int
    at_us: int
    kind: str
    note: str
    amount_micros: int
    profile_id: int | None


def allocations_of_month(account: Account, month: Month, *, profile_id: int | None = None) -> list[Allocation]:
    """Movements of a Manager's account in the order of booking, at most `MOST_LINES`; for one profile: those that were for it."""
    moved = Posting.objects.filter(Q(debit=account) | Q(credit=account)).exclude(kind__in=CALLS)
    within = moved.filter(id__gt=_closed_before(account, month), posted_us__gte=month.starts_us, posted_us__lt=month.ends_us)
    postings = list(within.order_by("id")[:MOST_LINES])
    profiles = _profiles_of(postings)
    lines = [_line(posting, account, profiles.get(posting.pk)) for posting in postings]
    return [line for line in lines if profile_id in (None, line.profile_id)]


def _closed_before(account: Account, month: Month) -> int:
    """Postings up to this one belong to closed months."""
    heads = StatementHead.objects.filter(account=account, month__lt=month.first).order_by("-month")
    return heads.values_list("last_posting", flat=True).first() or 0


def _profiles_of(postings: list[Posting]) -> dict[int, int]:
    """By posting: the profile whose Credit is the other side, or whose term was paid or refunded."""
    accounts = {ident for posting in postings for ident in (posting.debit_id, posting.credit_id)}
    by_account = dict(Profile.objects.filter(account__in=accounts).values_list("account_id", "id"))
    terms = {posting.pk: int(parts[1]) for posting in postings if (parts := posting.key.split("/"))[0] == "term" and parts[1].isdecimal()}
    by_term = dict(Term.objects.filter(id__in=set(terms.values()), profile__isnull=False).values_list("id", "profile_id"))
    found = {posting.pk: by_account.get(posting.debit_id) or by_account.get(posting.credit_id) for posting in postings}
    found |= {pk: by_term.get(term) for pk, term in terms.items()}
    return {pk: profile_id for pk, profile_id in found.items() if profile_id is not None}


def _line(posting: Posting, account: Account, profile_id: int | None) -> Allocation:
    amount = posting.amount if posting.credit_id == account.pk else -posting.amount
    return Allocation(posting.pk, posting.posted_us, posting.kind, posting.note, amount, profile_id)
