"""`./trunkline demo` from nothing: everything with real engines, and nothing left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import PortBlock
from trunkline.runtime.settings import Settings

STEPS = [
    "instance",
    "carrier",
    "registration",
    "echo call",
    "landline call",
    "incoming call",
    "no channel",
    "no credit",
    "records",
    "balances",
    "audit",
]


COMMAND = [sys.executable, "-m", "trunkline.cli"]

pytestmark = pytest.mark.engines


@pytest.fixture
def settings(short_home: Path) -> Iterator[Settings]:
    with PortBlock() as ports:
        yield ports.settings(short_home, invite_workers=4)


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **settings.environment()}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=240, check=False)


def is_running(environment: dict[str, str]) -> bool:
    return bool(json.loads(run(environment, "status", "--json").stdout)["running"])


def test_everything_is_shown_on_the_instance_that_runs(environment: dict[str, str]) -> None:
    started = run(environment, "up", "--detach")
    assert started.returncode == 0, started.stderr
    try:
        done = run(environment, "demo", "--json")
        said = json.loads(done.stdout)
        assert [step["name"] for step in said["steps"]] == STEPS, done.stderr
        assert [step for step in said["steps"] if not step["ok"]] == []
        assert said["ok"] is True
        assert done.returncode == 0
        assert is_running(environment), "it was not the demo's to end"
    finally:
        run(environment, "down")


def test_a_failure_is_told_and_what_was_started_is_ended(settings: Settings, environment: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((settings.lab_carrier_address, settings.lab_carrier_port))
        done = run(environment, "demo", "--json")
    said = json.loads(done.stdout)
    assert [(step["name"], step["ok"]) for step in said["steps"]] == [("instance", True), ("carrier", False)], done.stderr
    assert "its SIP port is taken" in said["steps"][1]["detail"]
    assert said["ok"] is False
    assert done.returncode == 1
    assert not is_running(environment)
