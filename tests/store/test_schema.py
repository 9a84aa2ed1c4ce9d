"""The tables are those of the models, and whoever changes a cached thing says so in the right order."""

from __future__ import annotations

import threading
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction

from tests.conftest import Store
from tests.store.cast import BY, NOW, Company
from trunkline.store import append_only
from trunkline.store.audit import audit
from trunkline.store.models import Change, Number, Payment, Price, Profile
from trunkline.store.work import work
from trunkline.usecases.credit import book_payment


@pytest.mark.usefixtures("store")
def test_every_model_change_has_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, interactive=False, verbosity=0)


@pytest.mark.usefixtures("store")
def test_after_all_migrations_the_triggers_are_there() -> None:
    assert append_only.missing(connection) == []


def test_what_was_booked_before_there_were_payments_gets_its_payment(company: Company) -> None:
    """Else the audit of an old store names each of them (`posting_payment`)."""
    write_payments = import_module("trunkline.store.migrations.0016_booked_payments").write_payments
    book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=7, reference="bank 7/8")
    fields = [field.name for field in Payment._meta.concrete_fields if field.name != "id"]
    before = list(Payment.objects.order_by("reference").values(*fields))
    Payment.objects.filter(reference__contains="bank").delete()
    assert not audit().ok
    for _ in range(2):
        write_payments(apps, None)
    assert list(Payment.objects.order_by("reference").values(*fields)) == before
    assert audit().ok


def test_sqlite_commits_reach_the_disk(store: Store) -> None:
    if store.kind != "sqlite":
        pytest.skip("PostgreSQL's own default")
    with connection.cursor() as cursor:
        for pragma, expected in (("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("recursive_triggers", 1)):
            cursor.execute(f"PRAGMA {pragma}")
            assert cursor.fetchone() == (expected,), pragma


def test_the_database_itself_refuses_what_must_not_be(company: Company) -> None:
    profile = company.profile()
    price = Price.objects.first()
    assert price is not None
    for wrong in ({"channels": 301}, {"ip_auth_address": "9.9.9.9"}, {"ip_auth_port": 5060}, {"sip_user": profile.sip_user, "pk": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Profile(**{**{name: value for name, value in vars(profile).items() if not name.startswith("_")}, **wrong}).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Number.objects.create(e164="12025550100", country="US", profile=profile)
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.filter(pk=price.pk).update(effective_until=price.effective_from)
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.filter(pk=price.pk).update(rate_per_minute_micros=-1)


def test_changes_become_visible_in_the_order_of_their_ids(store: Store) -> None:
    """Who has read up to an id has missed none below it, however long a transaction takes to end (PostgreSQL gives ids out early)."""
    second_may_end = threading.Event()

    def second() -> None:
        with work(now=NOW, by=BY) as doing:
            doing.changed(Change.What.PRICES, "second")
        second_may_end.set()
        connections.close_all()

    with transaction.atomic():
        with_first = work_inside(Change.What.PRICES, "first")
        other = threading.Thread(target=second)
        other.start()
        assert not second_may_end.wait(0.3), "the second must wait for the first"
        assert with_first
    other.join(20)
    assert list(Change.objects.order_by("id").values_list("ident", flat=True)) == ["first", "second"]


def work_inside(what: Change.What, ident: str) -> bool:
    """What `work` does at its end, in a transaction that does not end yet."""
    from trunkline.store.work import Work

    doing = Work(NOW, BY)
    doing.changed(what, ident)
    doing.write_log()
    return True
