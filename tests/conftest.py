"""What all tests share: settings of their own, a PostgreSQL of their own, and a fresh store on both databases."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tests.ports import PortBlock
from tests.postgresql import private_cluster
from trunkline.store.databases import database_from

NO_HOME = Path(tempfile.gettempdir()) / f"trunkline-tests-{os.getpid()}-no-home"


def pytest_configure(config: pytest.Config) -> None:
    """No test sees the settings, or the store, of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("TRUNKLINE_")]:
        del os.environ[name]
    os.environ["TRUNKLINE_HOME"] = str(NO_HOME)
    # not by `rich`, if a tool brings it: that shows every variable of every frame, for seconds, while a test waits
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(NO_HOME, ignore_errors=True)  # whoever needed a key has made it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side (`-n 2 --dist loadgroup`), tests with engines take turns: they measure time."""
    for item in items:
        if item.get_closest_marker("engines") or item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.xdist_group("engines"))


@pytest.fixture(scope="session")
def short_tmp_path() -> Iterator[Path]:
    """For UNIX sockets, whose paths must be short, and for servers that run as another user."""
    directory = Path(tempfile.mkdtemp(prefix="tl-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def ports() -> Iterator[PortBlock]:
    """For tests that bind what they are told to."""
    with PortBlock() as block:
        yield block


@pytest.fixture
def short_home() -> Iterator[Path]:
    """Of an instance: its sockets are inside then, and not in a directory of their own."""
    with tempfile.TemporaryDirectory(prefix="tl-") as home:
        yield Path(home)


@pytest.fixture(scope="session")
def postgresql_url(short_tmp_path: Path) -> Iterator[str]:
    """A private PostgreSQL, for the whole run; the URL of its maintenance database."""
    with private_cluster(short_tmp_path / "postgresql") as url:
        yield url


@dataclass(frozen=True)
class Store:
    """A fresh, migrated database, which Django's default connection now leads to. `url` and `path` are for other processes."""

    kind: str
    url: str
    path: Path


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    path = tmp_path_factory.mktemp("store") / "template.sqlite3"
    with django_db_blocker.unblock():
        _lead_django_to("", path)
        call_command("migrate", verbosity=0)
        connections.close_all()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, django_db_blocker: DjangoDbBlocker) -> str:
    url = _create_database(postgresql_url, "template_store", template="template0")
    with django_db_blocker.unblock():
        _lead_django_to(url, Path())
        call_command("migrate", verbosity=0)
        connections.close_all()
    return "template_store"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Store]:
    """The same test on both databases, each time on a store of its own: with real commits, threads and processes."""
    path, url = tmp_path / "store.sqlite3", ""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    else:
        template = request.getfixturevalue("postgresql_template")
        url = _create_database(request.getfixturevalue("postgresql_url"), f"store_{os.urandom(6).hex()}", template=template)
    with django_db_blocker.unblock():
        _lead_django_to(url, path)
        yield Store(request.param, url, path)
        connections.close_all()


def _create_database(maintenance_url: str, name: str, *, template: str) -> str:
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    parts = urlsplit(maintenance_url)
    return parts._replace(path=f"/{name}").geturl()


def _lead_django_to(url: str, path: Path) -> None:
    connections.close_all()
    connections.settings["default"] = {**connections.settings["default"], **database_from(url, path)}
    if hasattr(connections._connections, "default"):  # type: ignore[attr-defined] # Django has no public way to do this
        del connections["default"]
