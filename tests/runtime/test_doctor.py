"""The doctor: finds what is not well, and says what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.runtime.conftest import Supervising
from trunkline.runtime import doctor
from trunkline.runtime.doctor import Check, examine
from trunkline.runtime.sandbox import Confinement
from trunkline.runtime.settings import Settings

pytestmark = pytest.mark.engines


def found(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in examine(settings)}


def test_a_fresh_machine_is_well_but_for_its_store(settings: Settings) -> None:
    checks = found(settings)
    assert {name for name, check in checks.items() if not check.ok} - {"sandbox"} == {"store"}
    assert checks["store"].todo
    assert "kamailio" in checks["engines"].detail


def test_a_port_of_somebody_else_is_named(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.web_port)):
        check = found(settings)["ports"]
    assert (check.ok, f"tcp 127.0.0.1:{settings.web_port} (web)" in check.detail) == (False, True)


def test_orphans_are_named(settings: Settings, supervise: Callable[..., Supervising]) -> None:
    running = supervise(settings, "echo")
    running.await_ready()
    assert found(settings)["ports"].detail == "ours"
    running.kill()
    check = found(settings)["processes"]
    assert (check.ok, check.detail) == (False, "Without a supervisor: echo")


def test_no_sandbox_is_not_well(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "confinement", lambda: Confinement.NONE)
    assert not found(settings)["sandbox"].ok


def test_a_missing_root_is_told_how_to_build(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(settings.home / "cache"))
    assert found(settings)["engines"].todo == "./trunkline engines build"


def test_a_full_disk_and_a_slow_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISK_FREE_BYTES_MIN", 2**62)
    monkeypatch.setattr(doctor, "FSYNC_MILLISECONDS_MAX", 0.0)
    checks = found(settings)
    assert not checks["disk"].ok
    assert not checks["fsync"].ok


def test_a_secret_that_others_can_read(settings: Settings) -> None:
    settings.secret_key_path.write_text("0" * 64, encoding="ascii")
    settings.secret_key_path.chmod(0o644)
    assert "chmod 600" in found(settings)["home"].todo


def test_installed_engines_are_told_apart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    checks = found(replace(settings, engine="system"))
    assert "not installed" in checks["engines"].detail
    assert "none" in checks["sandbox"].detail
