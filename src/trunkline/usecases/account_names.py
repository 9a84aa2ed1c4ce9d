"""One space of names for everybody who can be called or signs in: people and business accounts (SPEC R1.3)."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models.functions import Lower

from trunkline.domain.errors import Invalid
from trunkline.store.locks import lock_names
from trunkline.store.models import BusinessAccount, Person


def take_names(names: Collection[str], field: str = "account") -> None:
    """Last in a transaction, before the rows are written: until it ends nobody else gets one. Raises `Invalid` when one is taken."""
    lock_names()
    wanted = {name.lower(): name for name in names}
    if taken := sorted(wanted.keys() & taken_names(wanted)):
        raise Invalid(field, f"The account {wanted[taken[0]]} is taken: choose another name.")


def taken_names(lower: Collection[str] | None = None) -> set[str]:
    """In lower case: those of `lower` that are taken, or all."""
    people = Person.objects.annotate(lower=Lower("account")).values_list("lower", flat=True)
    accounts = BusinessAccount.objects.annotate(lower=Lower("name")).values_list("lower", flat=True)
    if lower is not None:
        people, accounts = people.filter(lower__in=lower), accounts.filter(lower__in=lower)
    return {*people, *accounts}
