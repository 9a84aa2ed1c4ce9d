"""A whole instance by the command line: every process real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from trunkline.runtime.children import started_ticks
from trunkline.runtime.settings import Settings
from trunkline.runtime.status import InstanceStatus, read_status

pytestmark = pytest.mark.engines
PROCESSES = ["rtpengine", "echo", "callcontrol", "clock", "capture", "kamailio", "web"]


def trunkline(settings: Settings, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trunkline.cli", *arguments]
    environment = {**os.environ, **settings.environment()}
    return subprocess.run(command, env=environment, cwd=settings.home, capture_output=True, text=True, timeout=seconds, check=False)


def await_status(settings: Settings, wanted: Callable[[InstanceStatus], bool], seconds: float = 30) -> InstanceStatus:
    deadline = time.monotonic() + seconds
    while not wanted(now := read_status(settings)):
        assert time.monotonic() < deadline, now
        time.sleep(0.02)
    return now


@pytest.fixture
def instance(settings: Settings) -> Settings:
    """Ended by the fixture that made its settings, whatever the test did to it."""
    started = trunkline(settings, "up", "--detach")
    assert started.returncode == 0, started.stderr
    return settings


def test_goes_up_is_well_and_goes_down(instance: Settings) -> None:
    shown = msgspec.json.decode(trunkline(instance, "status", "--json").stdout, type=InstanceStatus)
    assert [process.name for process in shown.processes] == PROCESSES
    assert shown.ready
    examined = trunkline(instance, "doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    again = trunkline(instance, "up")
    assert (again.returncode, "running already" in again.stderr) == (1, True)
    assert trunkline(instance, "down").returncode == 0
    assert not read_status(instance).running
    assert [process.pid for process in shown.processes if process.pid and started_ticks(process.pid)] == []


def test_every_process_may_be_killed_at_any_time(instance: Settings) -> None:
    for place, name in enumerate(PROCESSES):
        pid = read_status(instance).processes[place].pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        await_status(instance, lambda now, place=place: now.ready and now.processes[place].restarts == 1)  # type: ignore[misc]
        others = [process.restarts for process in read_status(instance).processes]
        assert others == [1] * (place + 1) + [0] * (len(PROCESSES) - place - 1), name
    pids = [process.pid for process in read_status(instance).processes]
    for pid in pids:
        os.kill(pid or 0, signal.SIGKILL)
    await_status(instance, lambda now: now.ready and all(process.restarts == 2 for process in now.processes))


def test_calls_need_no_supervisor(instance: Settings) -> None:
    before = read_status(instance)
    os.kill(before.pid or 0, signal.SIGKILL)
    await_status(instance, lambda now: not now.running)
    assert trunkline(instance, "up", "--detach").returncode == 0
    after = read_status(instance)
    assert [process.pid for process in after.processes] == [process.pid for process in before.processes]


def test_two_instances_side_by_side(make_settings: Callable[[], Settings]) -> None:
    one, other = make_settings(), make_settings()
    for settings in (one, other):
        started = trunkline(settings, "up", "--detach")
        assert started.returncode == 0, started.stderr
    assert read_status(one).ready
    assert trunkline(one, "down").returncode == 0
    assert read_status(other).ready


@pytest.fixture
def foreground(settings: Settings, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    said = tmp_path / "said"
    environment = {**os.environ, **settings.environment()}
    with said.open("wb") as output:
        running = subprocess.Popen([sys.executable, "-m", "trunkline.cli", "run"], env=environment, stdout=output, stderr=output)
    yield running, said
    if running.poll() is None:
        running.kill()
        running.wait()


def test_run_tells_where_to_go_and_ends_with_ctrl_c(settings: Settings, foreground: tuple[subprocess.Popen[bytes], Path]) -> None:
    running, said = foreground
    await_status(settings, lambda now: now.ready)
    deadline = time.monotonic() + 30  # the demo company comes in between
    while "Ctrl-C ends it" not in said.read_text():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.02)
    for word in (
        f"http://localhost:{settings.web_port}/",
        "Architects.Admin",
        f"127.0.0.1:{settings.sip_port}",
        "+1 760 660 4690",
        "trunkline demo",
    ):
        assert word in said.read_text()
    running.send_signal(signal.SIGINT)
    assert running.wait(40) == 0, said.read_text()
    assert "Traceback" not in said.read_text()
    assert not read_status(settings).running


def test_nothing_is_written_outside_the_home(instance: Settings) -> None:
    """Neither beside the source nor in the user's home; the cache of engine roots is the only other place."""
    written = {
        path for pid_file in instance.run_dir.glob("*.pid") for path in _open_for_writing(msgspec.json.decode(pid_file.read_bytes())["pid"])
    }
    outside = {path for path in written if path.is_file() and not path.is_relative_to(instance.home)}
    assert outside == set()


def _open_for_writing(pid: int) -> Iterator[Path]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        flags = int((Path(f"/proc/{pid}/fdinfo") / descriptor.name).read_text().split("flags:")[1].split()[0], 8)
        if target.startswith("/") and flags & (os.O_WRONLY | os.O_RDWR):
            yield Path(target)
