"""One instance for all tests here, and another one on PostgreSQL: whatever a test does to it, it must be well again for the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.company import Company
from tests.faults.instance import Instance
from tests.ports import PortTakenError, in_free_ports


@pytest.fixture(scope="session")
def founded(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[Company]:
    with django_db_blocker.unblock(), running(request, lambda: "") as company:
        yield company


@pytest.fixture(scope="session")
def founded_on_postgresql(request: pytest.FixtureRequest, postgresql_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Company]:
    with django_db_blocker.unblock(), running(request, lambda: durable_database(postgresql_url)) as company:
        yield company


def durable_database(maintenance_url: str) -> str:
    """Commits survive the death of a server process, which is what these tests are about; other tests have faster ones."""
    name = f"faults_{os.urandom(6).hex()}"
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    parts = urlsplit(maintenance_url)
    return parts._replace(path=f"/{name}", query=f"{parts.query}&options=-c%20synchronous_commit%3Don").geturl()


@contextmanager
def running(request: pytest.FixtureRequest, new_database: Callable[[], str]) -> Iterator[Company]:
    """Its company, while it runs. What is in the home of one that did not pass its tests is kept where pytest clears up."""
    evidence: Path = request.getfixturevalue("tmp_path_factory").mktemp("faults")
    company = in_free_ports(lambda: brought_up(Instance(new_database()), evidence))
    try:
        yield company
    finally:
        company.instance.down()
    if request.session.testsfailed:
        company.instance.keep(evidence)
        print(f"kept for whoever looks into it: {evidence}")
    else:
        company.instance.remove()


def brought_up(instance: Instance, evidence: Path) -> Company:
    try:
        instance.migrate()
        instance.lead_django_here()
        company = Company.found(instance)
        instance.up()
    except BaseException as error:
        instance.down()
        if isinstance(error, PortTakenError):
            instance.remove()
        else:
            instance.keep(evidence)
        raise
    return company


@pytest.fixture
def company(founded: Company, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with django_db_blocker.unblock():
        yield from well(founded, monkeypatch)


@pytest.fixture
def company_on_postgresql(
    founded_on_postgresql: Company, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    with django_db_blocker.unblock():
        yield from well(founded_on_postgresql, monkeypatch)


def well(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """Before the test, and after it: then nothing is held, and every balance is as it should be."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # scenarios look into the store between two messages
    company.instance.await_ready()
    company.instance.lead_django_here()
    company.instance.write_off()
    yield company
    company.instance.lead_django_here()
    company.instance.await_empty()
    found = company.instance.audit()
    assert found["ok"], found
