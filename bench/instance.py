"""A fresh Trunkline in a home of its own, filled by use cases, brought up by `./trunkline up`: real engines, every posting on disk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load import User
from bench.place import CARRIER, CARRIER_PORT, DOMAIN, TRUNKLINE, TRUNKLINE_SETTINGS
from bench.processes import family

TRUNKLINE_COMMAND = Path(__file__).parents[1] / "trunkline"
COMMAND_TIMEOUT_SECONDS = 300
PROFILES = 100
"""For each kind of media. A profile has at most 300 channels; in real life the calls come from many."""


@dataclass(frozen=True)
class Instance:
    """A running one. `users`: profiles whose media goes direct, and those whose media goes through RTPengine."""

    address: str
    environment: dict[str, str]
    users: Mapping[str, Sequence[User]]
    groups: dict[str, set[int]]

    def audit(self) -> dict[str, Any]:
        done = _trunkline(self.environment, "audit", "--json", check=False)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@contextmanager
def trunkline_instance(scratch: Path) -> Iterator[Instance]:
    home = scratch / "trunkline"
    settings = {f"TRUNKLINE_{name}": str(value) for name, value in TRUNKLINE_SETTINGS.items()} | {"TRUNKLINE_HOME": str(home)}
    os.environ.update(settings)  # the use cases open this home's store, in this process
    environment = dict(os.environ)
    _trunkline(environment, "migrate")
    users = _fill()
    try:
        _trunkline(environment, "up", "--detach")
        yield Instance(TRUNKLINE, environment, users, _groups(environment))
    finally:
        _trunkline(environment, "down")


def _trunkline(environment: dict[str, str], *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(TRUNKLINE_COMMAND), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_SECONDS, check=False)
    if check and done.returncode:
        raise RuntimeError(f"./trunkline {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done


def _groups(environment: dict[str, str]) -> dict[str, set[int]]:
    processes = json.loads(_trunkline(environment, "status", "--json").stdout)["processes"]
    return {each["name"]: family(each["pid"]) for each in processes}


def _fill() -> Mapping[str, Sequence[User]]:
    """A company with prices, Credit, a carrier and profiles; returns who may call."""
    from trunkline.cli.store import open_store

    open_store()
    from django.db import connections

    from bench.company import Company

    company = Company.found(now=datetime.now(UTC), sip_domain=DOMAIN, carrier=(CARRIER, CARRIER_PORT))
    users = {media: [company.profile(media) for _ in range(PROFILES)] for media in ("direct", "relay")}
    connections.close_all()
    return users
