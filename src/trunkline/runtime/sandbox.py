"""Runs an engine's program inside its engine root: sees the root read-only, the host's network, and only the given directories.

Three ways, the best that the host allows: bubblewrap with namespaces of its own; bubblewrap without a process namespace (containers that
mask /proc); or, where no mounts are allowed at all, the root's own dynamic loader without a sandbox. `confinement()` says which.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

OWN_MOUNTS = ("/dev", "/proc", "/tmp", "/run", "/sys")  # noqa: S108 - the sandbox's own
HOST_FILES = ("/etc/resolv.conf", "/etc/hosts")  # carriers have names
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Confinement(StrEnum):
    NAMESPACES = "namespaces"
    MOUNTS = "mounts only"
    NONE = "none"


# As process 1 of its namespace an engine's death ends all its workers, and its ports are free at once.
_FLAGS = {
    Confinement.NAMESPACES: ["--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--proc", "/proc"],
    Confinement.MOUNTS: ["--ro-bind", "/proc", "/proc"],
}


@functools.cache
def confinement() -> Confinement:
    for way, flags in _FLAGS.items():
        probe = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp", *flags, "true"]  # noqa: S108 - the sandbox's own
        try:
            if subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0:
                return way
        except FileNotFoundError:
            return Confinement.NONE
    return Confinement.NONE


def engine_command(
    root: Path | None,
    argv: Sequence[str],
    *,
    writable: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    die_with_parent: bool = False,
    way: Confinement | None = None,
) -> list[str]:
    """The command line that runs `argv` inside `root`; without a root, `argv` itself: an installed engine."""
    if root is None:
        return list(argv)
    way = confinement() if way is None else way
    if way is Confinement.NONE:
        return _by_loader(root, argv)
    command = ["bwrap", *_FLAGS[way], "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]  # noqa: S108 - the sandbox's own
    command += ["--clearenv", "--setenv", "PATH", SEARCH_PATH, "--setenv", "LANG", "C.UTF-8", "--setenv", "HOME", "/tmp"]  # noqa: S108
    command += ["--die-with-parent"] if die_with_parent else []
    # root outside is not root inside: nothing but a port below 1024 can be wanted
    command += ["--cap-drop", "ALL", "--cap-add", "CAP_NET_BIND_SERVICE"] if os.geteuid() == 0 else []
    command += _root_mounts(root, [*writable, *readable])
    command += [part for name in HOST_FILES if (root / name.strip("/")).is_file() for part in ("--ro-bind-try", name, name)]
    command += [part for path in readable for part in ("--ro-bind", str(path), str(path))]
    command += [part for path in writable for part in ("--bind", str(path), str(path))]
    return [*command, "--remount-ro", "/", "--chdir", "/", "--", *argv]


def seen_inside(root: Path | None, path: Path, way: Confinement | None = None) -> Path:
    """Where an engine finds a file of its own root: a path for its configuration."""
    unconfined = (confinement() if way is None else way) is Confinement.NONE
    return root / path.relative_to("/") if root is not None and unconfined else path


def _root_mounts(root: Path, visible: Sequence[Path]) -> list[str]:
    """The root's content, with room for `visible`: directories above one of those are made anew and filled entry by entry."""
    opened = {parent for path in visible for parent in path.parents}
    return [part for mount in _mounts_below(root, Path("/"), opened, set(visible)) for part in mount]


def _mounts_below(root: Path, directory: Path, opened: set[Path], covered: set[Path]) -> Iterator[tuple[str, ...]]:
    for entry in sorted((root / directory.relative_to("/")).iterdir()):
        path = directory / entry.name
        if str(path) in OWN_MOUNTS or path in covered:
            continue
        if entry.is_symlink():
            yield ("--symlink", str(entry.readlink()), str(path))
        elif path in opened:
            yield ("--dir", str(path))
            yield from _mounts_below(root, path, opened, covered)
        else:
            yield ("--ro-bind", str(entry), str(path))


def _by_loader(root: Path, argv: Sequence[str]) -> list[str]:
    """No mounts allowed: the root's program with the root's own libraries and Python, unconfined."""
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    loader = next(path for path in libraries.glob("ld-linux*.so.*"))
    program = next(path for name in SEARCH_PATH.split(":") if (path := root / name.strip("/") / argv[0]).exists())
    modules = ["-L", str(libraries / "kamailio" / "modules")] if argv[0] == "kamailio" else []
    command = ["env", "-i", f"PATH={SEARCH_PATH}", "LANG=C.UTF-8", "HOME=/nonexistent", f"PYTHONHOME={root / 'usr'}"]
    return [*command, str(loader), "--library-path", str(libraries), str(program), *modules, *argv[1:]]
