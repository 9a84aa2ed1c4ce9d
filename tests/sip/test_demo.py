"""`./trunkline demo` from nothing: it starts an instance, shows everything with real engines, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PORTS = {
    "SIP_PORT": 23700,
    "SIPS_PORT": 23701,
    "WEB_PORT": 23702,
    "RTPENGINE_PORT": 23703,
    "ECHO_PORT": 23704,
    "METRICS_PORT": 23705,
    "LAB_CARRIER_PORT": 23706,
    "RTP_PORT_MIN": 23720,
    "RTP_PORT_MAX": 23899,
    "UDP_WORKERS": 2,
    "INVITE_WORKERS": 4,
}
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


@pytest.mark.engines
def test_the_demo_shows_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TRUNKLINE_HOME": str(tmp_path), **{f"TRUNKLINE_{name}": str(value) for name, value in PORTS.items()}}
    command = [sys.executable, "-m", "trunkline.cli"]

    done = subprocess.run([*command, "demo", "--json"], env=environment, capture_output=True, text=True, timeout=240, check=False)

    said = json.loads(done.stdout)
    assert [step["name"] for step in said["steps"]] == STEPS, done.stderr
    assert [step for step in said["steps"] if not step["ok"]] == []
    assert said["ok"] is True
    assert done.returncode == 0
    status = subprocess.run([*command, "status", "--json"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert json.loads(status.stdout)["running"] is False
