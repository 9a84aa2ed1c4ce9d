"""A PostgreSQL of the tests' own: a private cluster in a directory, on a UNIX socket only, gone with the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "trunkline"
START_SECONDS = 30.0
# Nothing here outlives the run, so nothing has to reach the disk.
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200")


@contextmanager
def private_cluster(directory: Path) -> Iterator[str]:
    """Yields the URL of its maintenance database."""
    data, socket_dir = directory / "data", directory / "socket"
    for made in (data, socket_dir):
        made.mkdir(parents=True)
    _give_to_server(directory)
    subprocess.run(
        [*_as_server(), _program("initdb"), "-D", data, "-U", USER, "-A", "trust", "-N", "-E", "UTF8"], check=True, capture_output=True
    )
    command = [*_as_server(), _program("postgres"), "-D", str(data), "-k", str(socket_dir), "-c", "listen_addresses=", *FAST]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            url = database_url(socket_dir, "postgres")
            _await_connection(url, server, directory / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # its fast shutdown: does not wait for whoever is still connected


def database_url(socket_dir: Path, name: str) -> str:
    return f"postgresql://{USER}@/{name}?host={socket_dir}"


def _await_connection(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def _program(name: str) -> str:
    """Debian keeps the server's programs beside each other by version, and not on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which(name)
    assert found, f"{name} is not installed: `make test` installs Debian's postgresql"
    return found


def _as_server() -> list[str]:
    """PostgreSQL refuses to run as root; and it ends when we do, however we end."""
    who = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *who, "--pdeathsig=INT"]


def _give_to_server(directory: Path) -> None:
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam("postgres")
    for path in (directory, *directory.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
