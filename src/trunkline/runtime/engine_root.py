"""Engine roots: small read-only Debian trees that bring the engines in the versions that are safe (DESIGN D1).

Built once by mmdebstrap from the host's own mirror, cached outside the checkout under a name that its package list decides.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import Settings

BUILD_TIMEOUT_SECONDS = 1800
STALE_MIRROR_SECONDS = 31_536_000  # a mirror may lag behind; its signatures are checked all the same
# What nobody reads in a root. Licences (copyright) stay.
LEFT_OUT = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
)

Say = Callable[[str], None]


class EngineError(RuntimeError):
    """The engines cannot be had, or are not safe; the text says what to do."""


@dataclass(frozen=True)
class RootSpec:
    name: str
    packages: tuple[str, ...]
    contents: str
    suite: str = "forky"

    @property
    def path(self) -> Path:
        recipe = "\n".join((self.suite, *self.packages, *LEFT_OUT)).encode()
        return roots_dir() / f"{self.name}-{hashlib.sha256(recipe).hexdigest()[:12]}"


_KAMAILIO = ("python3", "tls", "websocket", "extra", "json", "sqlite", "postgres")
ROOTS = {
    "engine": RootSpec(
        "engine",
        ("kamailio", *(f"kamailio-{part}-modules" for part in _KAMAILIO), "rtpengine-daemon", "baresip-core", "ca-certificates"),
        "Kamailio, RTPengine, baresip: about 500 MB",
    ),
    "lab": RootSpec(
        "lab",
        ("asterisk", "asterisk-core-sounds-en-gsm", "sip-tester", "ca-certificates"),
        "Asterisk and SIPp for the demo and the tests: about 400 MB",
    ),
}


@dataclass(frozen=True)
class Engine:
    """A program that faces the open network, and the oldest version of it that we let do so."""

    program: str
    version_argv: tuple[str, ...]
    oldest: tuple[int, ...]
    why: str


ENGINES = (
    Engine("kamailio", ("kamailio", "-v"), (6, 1, 4), "older ones die from one unauthenticated TCP packet"),
    Engine(
        "rtpengine", ("rtpengine", "--config-file=none", "--version"), (13, 4), "older ones do not check SRTP tags, and miss a DTLS fix"
    ),
)


def roots_dir() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "trunkline" / "roots"


def engine_root(settings: Settings) -> Path | None:
    """Where this instance's engines are; None: they are installed."""
    return ROOTS["engine"].path if settings.engine == "root" else None


def ensure_root(name: str, say: Say = print, *, fresh: bool = False) -> Path:
    """The root's path; builds it when it is not there, or `fresh` with what the mirror has today. Two who want it at once take turns."""
    spec = ROOTS[name]
    if spec.path.is_dir() and not fresh:
        return spec.path
    roots_dir().mkdir(parents=True, exist_ok=True)
    with _only_builder(name, say):
        if fresh or not spec.path.is_dir():
            _build(spec, say)
    return spec.path


@contextmanager
def _only_builder(name: str, say: Say) -> Iterator[None]:
    with (roots_dir() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another build of the {name} root")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (*roots_dir().glob(f".building-{name}-*"), *roots_dir().glob(f".former-{name}-*")):
            shutil.rmtree(left, ignore_errors=True)  # of a build that was killed, or of the one before the last
        yield


def _build(spec: RootSpec, say: Say) -> None:
    """Into a directory of its own that gets its name when it is whole, so that nobody sees half a root."""
    if shutil.which("mmdebstrap") is None:
        raise EngineError("mmdebstrap is not installed. `make run` installs it; or set TRUNKLINE_ENGINE=system.")
    say(f"Building the {spec.name} root ({spec.contents}; once)")
    with tempfile.TemporaryDirectory(dir=roots_dir(), prefix=f".building-{spec.name}-", ignore_cleanup_errors=True) as scratch:
        tree, log = Path(scratch) / "root", roots_dir() / f"{spec.name}.log"
        with log.open("w+", encoding="utf-8") as output:
            succeeded = _make_tree(spec, tree, output, say)
        if not succeeded:
            raise EngineError(f"The {spec.name} root could not be built. The end of {log}:\n{_tail(log)}")
        if spec.name == "engine":
            check_versions(tree)
        tree.chmod(0o755)
        if spec.path.is_dir():  # engines that run keep their files until they are restarted
            spec.path.rename(roots_dir() / f".former-{spec.name}-{time.time_ns()}")
        tree.rename(spec.path)
    say(f"The {spec.name} root is ready: {spec.path}")


def _make_tree(spec: RootSpec, tree: Path, output: IO[str], say: Say) -> bool:
    """As root straight into a directory; as a user through a tar, so that all files are that user's own."""
    limit = ["timeout", "--foreground", str(BUILD_TIMEOUT_SECONDS)]
    command = [*limit, "mmdebstrap", "--variant=minbase", f"--include={','.join(spec.packages)}", *_options()]
    if os.geteuid() == 0:
        return _run(["--format=directory", spec.suite, str(tree), debian_mirror()], command, output, say)
    archive = tree.with_suffix(".tar")
    if not _run(["--mode=unshare", "--format=tar", spec.suite, str(archive), debian_mirror()], command, output, say):
        return False
    tree.mkdir()
    return _run(["-xf", str(archive), "-C", str(tree), "--no-same-owner", "--exclude=./dev/*"], ["tar"], output, say)


def _options() -> list[str]:
    options = [f'--aptopt=Acquire::Min-ValidTime "{STALE_MIRROR_SECONDS}"', *(f"--aptopt={line}" for line in _host_apt_options())]
    return options + [f"--dpkgopt={line}" for line in LEFT_OUT] + ["--customize-hook=touch $1/etc/resolv.conf $1/etc/hosts"]


def _run(arguments: list[str], command: list[str], output: IO[str], say: Say) -> bool:
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            output.write(line)
            if line.startswith("I: "):
                say(f"  {line[3:].strip()}")
        return process.wait() == 0


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def debian_mirror() -> str:
    """Where this host itself takes Debian from."""
    fields = "$(SITE)|$(COMPONENT)|$(LABEL)|$(RELEASE)"
    listing = _host_apt(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"])
    for line in listing.splitlines():
        site, component, label, release = line.split("|", 3)
        # before the first `apt-get update` a target has no label yet
        if component == "main" and (label == "Debian" or (not label and "security" not in f"{site} {release}")):
            return site
    raise EngineError(
        "This host's apt settings name no Debian mirror with `main`, so no engine root can be built. Set TRUNKLINE_ENGINE=system."
    )


def _host_apt_options() -> list[str]:
    """Proxies, certificates and retries as the host has them."""
    listing = _host_apt(["apt-config", "dump", "--no-empty", "Acquire"])
    return [line for line in listing.splitlines() if re.match(r"Acquire::(https?::|Retries)", line)]


def _host_apt(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as problem:
        raise EngineError(f"Engine roots are built with Debian's apt, and `{command[0]}` failed: {problem}") from problem


def check_versions(root: Path | None) -> dict[str, str]:
    """Every engine's version; raises for one that is not safe. Without a root: the installed ones."""
    versions = {}
    for engine in ENGINES:
        version = engine_version(engine, root)
        if tuple(int(part) for part in version.split(".")) < engine.oldest:
            oldest = ".".join(map(str, engine.oldest))
            raise EngineError(f"{engine.program} {version} is not safe to run: {engine.why}. At least {oldest} is needed.")
        versions[engine.program] = version
    return versions


def engine_version(engine: Engine, root: Path | None) -> str:
    command = engine_command(root, engine.version_argv)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        raise EngineError(f"{engine.program} is not installed, and TRUNKLINE_ENGINE=system asks for it.") from None
    found = re.search(r"(?i)version:?\s+(?:kamailio\s+)?(\d+(?:\.\d+)+)", done.stdout + done.stderr)
    if found is None:
        raise EngineError(f"{engine.program} does not tell its version: {(done.stdout + done.stderr).strip()[:200]}")
    return found[1]
