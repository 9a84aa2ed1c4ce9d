"""The supervisor with real engines: ordered, restarted, taken over, and gone without a trace."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.runtime.conftest import Supervising
from trunkline.runtime import children, supervisor
from trunkline.runtime.children import PidFile, find_child, group_lives, started_ticks, write_atomically
from trunkline.runtime.processes import Port, ProcessSpec
from trunkline.runtime.settings import Settings, make_directories
from trunkline.runtime.status import AlreadyRunningError, bring_down, read_status, sole_supervisor
from trunkline.runtime.supervisor import StartError, Supervisor

pytestmark = pytest.mark.engines
Supervise = Callable[..., Supervising]


def shell(
    settings: Settings, script: str, ready: Callable[[], bool] | None = None, *, name: str = "stub", after: tuple[str, ...] = ()
) -> ProcessSpec:
    async def probe() -> bool:
        return ready is None or ready()

    return ProcessSpec(
        name=name,
        command=lambda: ["sh", "-c", script],
        ready=probe,
        ports=(),
        after=after,
        environment={"PATH": os.environ["PATH"]},
        directory=settings.engines_dir / name,
        grace_seconds=0.3,
    )


def run_supervisor(settings: Settings, *specs: ProcessSpec, until: Callable[[list[str]], bool]) -> list[str]:
    """What a supervisor said until the condition held and it was told to stop."""
    said: list[str] = []

    async def scenario() -> None:
        running = asyncio.create_task(Supervisor(settings, list(specs), said.append, lambda: said.append("all ready")).run())
        deadline = time.monotonic() + 20
        while not until(said) and not running.done():
            assert time.monotonic() < deadline, said
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    with sole_supervisor(settings):
        asyncio.run(scenario())
    return said


def test_starts_in_order_and_stops_in_reverse(settings: Settings) -> None:
    first_is_up = settings.home / "first"
    specs = (
        shell(settings, f"sleep 0.3; touch {first_is_up}; sleep 60", first_is_up.exists, name="first"),
        shell(settings, f"test -e {first_is_up} || exit 9; sleep 60", name="second", after=("first",)),
    )
    said = run_supervisor(settings, *specs, until=lambda said: "all ready" in said)
    states = [line.split(" (")[0] for line in said]
    started = ["first: starting", "first: ready", "second: starting", "second: ready", "all ready"]
    assert states == [*started, "second: stopping", "second: stopped", "first: stopping", "first: stopped"]
    assert not read_status(settings).running
    assert list(settings.run_dir.glob("*.pid")) == []


def test_a_killed_engine_is_back_within_a_second_or_so(settings: Settings, supervise: Supervise) -> None:
    running = supervise(settings, "rtpengine", "echo")
    before = running.await_ready()
    for place, name in enumerate(("rtpengine", "echo")):
        killed_at = time.monotonic()
        os.kill(before[name], signal.SIGKILL)
        running.await_status(lambda now, place=place: now.ready and now.processes[place].restarts == 1)  # type: ignore[misc]
        assert time.monotonic() - killed_at < 6.0  # half a second on a quiet machine
    after = running.await_ready()
    assert after["rtpengine"] != before["rtpengine"]
    assert after["echo"] != before["echo"]


def test_a_killed_sandbox_takes_its_engine_with_it(settings: Settings, supervise: Supervise) -> None:
    running = supervise(settings, "echo")
    engine = running.await_ready()["echo"]
    sandbox = os.getpgid(engine)
    os.kill(sandbox, signal.SIGKILL)
    running.await_status(lambda now: now.ready and now.processes[0].restarts == 1)
    assert started_ticks(engine) is None


def test_a_stop_leaves_nobody(settings: Settings, supervise: Supervise) -> None:
    running = supervise(settings, "rtpengine", "echo")
    pids = running.await_ready()
    groups = [os.getpgid(pid) for pid in pids.values()]
    assert running.kill(signal.SIGINT) == 0
    assert not any(group_lives(group) for group in groups)
    assert Port("udp", "127.0.0.1", settings.rtpengine_port).is_free()
    assert Port("udp", "127.0.0.1", settings.echo_port).is_free()


def test_engines_outlive_a_killed_supervisor_and_are_taken_over(settings: Settings, supervise: Supervise) -> None:
    first = supervise(settings, "rtpengine", "echo")
    pids = first.await_ready()
    first.kill()
    left = read_status(settings)
    assert not left.running
    assert {each.name: (each.state, each.pid) for each in left.processes} == {name: ("orphaned", pid) for name, pid in pids.items()}
    second = supervise(settings, "rtpengine", "echo")
    assert second.await_ready() == pids
    os.kill(pids["echo"], signal.SIGKILL)  # and is looked after from now on
    second.await_status(lambda now: now.ready and now.processes[1].restarts == 1)
    assert second.kill(signal.SIGTERM) == 0
    assert started_ticks(pids["rtpengine"]) is None


def test_what_runs_with_other_settings_is_replaced(settings: Settings, supervise: Supervise) -> None:
    first = supervise(settings, "rtpengine", "echo")
    before = first.await_ready()
    first.kill()
    other = replace(settings, rtpengine_port=settings.metrics_port, metrics_port=settings.rtpengine_port)
    second = supervise(other, "rtpengine", "echo")
    after = second.await_ready()
    assert after["rtpengine"] != before["rtpengine"]
    assert after["echo"] == before["echo"]
    assert started_ticks(before["rtpengine"]) is None


def test_down_ends_what_a_killed_supervisor_left(settings: Settings, supervise: Supervise) -> None:
    running = supervise(settings, "rtpengine", "echo")
    groups = [os.getpgid(pid) for pid in running.await_ready().values()]
    running.kill()
    asyncio.run(bring_down(settings))
    assert not any(group_lives(group) for group in groups)
    assert read_status(settings).processes == []


def test_a_stranger_with_an_old_pid_is_left_alone(settings: Settings) -> None:
    make_directories(settings)
    pid_file = settings.run_dir / "echo.pid"
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        record = PidFile(stranger.pid, (started_ticks(stranger.pid) or 0) - 1, stranger.pid, boot_id, "", "")
        write_atomically(pid_file, msgspec.json.encode(record))
        assert find_child(pid_file) is None
        asyncio.run(bring_down(settings))
        assert stranger.poll() is None
        stranger.kill()


def test_two_instances_side_by_side(make_settings: Callable[[], Settings], supervise: Supervise) -> None:
    one, other = (supervise(make_settings(), "rtpengine", "echo") for _ in range(2))
    assert set(one.await_ready().values()).isdisjoint(other.await_ready().values())


def test_one_home_is_run_once(settings: Settings) -> None:
    with sole_supervisor(settings), pytest.raises(AlreadyRunningError, match="running already"), sole_supervisor(settings):
        pass


def test_a_taken_port_is_named(settings: Settings) -> None:
    taken = Port("tcp", "127.0.0.1", settings.web_port)
    spec = replace(shell(settings, "sleep 60"), ports=(taken,))
    with (
        socket.create_server(("127.0.0.1", settings.web_port)),
        pytest.raises(StartError, match=f"tcp 127.0.0.1:{settings.web_port} is taken"),
    ):
        run_supervisor(settings, spec, until=lambda said: False)


def test_what_cannot_start_ends_the_start_with_its_last_words(settings: Settings) -> None:
    fails = shell(settings, "echo no such codec >&2; exit 3", lambda: False, name="fails")
    bystander = shell(settings, "sleep 60", name="bystander")
    with pytest.raises(StartError, match=r"(?s)fails does not start: exited with status 3.*no such codec"):
        run_supervisor(settings, bystander, fails, until=lambda said: False)
    assert list(settings.run_dir.glob("*.pid")) == []


def test_a_full_disk_stops_nobody_who_runs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the status nor a pid file can be written: what dies is tried again, what lives lives on."""

    def no_space(path: Path, content: bytes) -> None:
        if (settings.home / "full").exists():
            raise OSError(28, "No space left on device")
        write_atomically(path, content)

    monkeypatch.setattr(children, "write_atomically", no_space)
    monkeypatch.setattr(supervisor, "write_atomically", no_space)
    fill, free, died = (settings.home / name for name in ("full", "freed", "died"))
    lives = shell(settings, "sleep 60", name="lives")
    dies = shell(settings, f"test -e {died} && exec sleep 60; touch {died}; sleep 0.5; touch {fill}; exit 1", name="dies")

    def until(said: list[str]) -> bool:
        if sum("dies: restarting: [Errno 28]" in line for line in said) == 2 and not free.exists():
            fill.unlink()
            free.touch()
        return free.exists() and said[-1].startswith("dies: ready")

    said = run_supervisor(settings, lives, dies, until=until)
    assert not any("lives: restarting" in line for line in said)
    assert list(settings.run_dir.glob("*.pid")) == []


def test_who_ignores_sigterm_is_killed(settings: Settings) -> None:
    trapped = settings.home / "trapped"
    stubborn = shell(settings, f"trap '' TERM; touch {trapped}; while :; do sleep 0.1; done", trapped.exists)
    said = run_supervisor(settings, stubborn, until=lambda said: "all ready" in said)
    assert said[-1] == "stub: stopped"


def test_the_wait_before_a_restart_doubles(settings: Settings) -> None:
    starts = settings.home / "starts"
    crashes = shell(settings, f"date +%s.%N >> {starts}; sleep 0.2; exit 1")
    run_supervisor(settings, crashes, until=lambda said: starts.exists() and len(starts.read_text().split()) == 5)
    moments = [float(moment) for moment in starts.read_text().split()]
    waits = [later - earlier - 0.2 for earlier, later in itertools.pairwise(moments)]
    for wait, expected in zip(waits, (0.1, 0.2, 0.4, 0.8), strict=True):
        assert expected <= wait < expected + 0.5


def test_each_process_writes_a_log_of_its_own(settings: Settings, supervise: Supervise) -> None:
    supervise(settings, "echo").await_ready()
    assert "baresip is ready" in (settings.log_dir / "echo.log").read_text()


def test_the_command_line_tells_status_by_json_and_exit(settings: Settings, supervise: Supervise) -> None:
    running = supervise(settings, "echo")
    running.await_ready()
    command = [sys.executable, "-m", "trunkline.cli"]
    environment = {**os.environ, **settings.environment()}
    shown = subprocess.run([*command, "status", "--json"], env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0
    assert '"running":true' in shown.stdout
    subprocess.run([*command, "down"], env=environment, check=True, timeout=60)
    assert running.popen.wait(10) == 0
    shown = subprocess.run([*command, "status", "--json"], env=environment, capture_output=True, text=True, check=False)
    assert (shown.returncode, '"running":false' in shown.stdout) == (1, True)
