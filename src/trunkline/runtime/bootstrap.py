"""Makes the project's own environment, with nothing but a Python 3.11 to start from.

`python3 -I src/trunkline/runtime/bootstrap.py [python|run|test|lock]`. Run by the system's interpreter, so: standard library only.
Does nothing, and asks no network, when everything is there. Which package index and mirror to use is the host's own configuration.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VAR = ROOT / "var"
VENV = VAR / "venv"
STAMP = VENV / "installed.json"
LOCKS = {"python": "requirements.lock", "run": "requirements.lock", "test": "requirements-dev.lock"}
PIP_TOOLS = "pip-tools>=7.5,<8"


def main(target: str) -> None:
    if sys.version_info < (3, 11):
        sys.exit(f"Trunkline needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    VAR.mkdir(exist_ok=True)
    with only_one():
        if target == "lock":
            write_locks()
            return
        install_debian_packages(missing_debian_packages(target))
        install_python_packages(target)


@contextmanager
def only_one() -> Iterator[None]:
    """Two `make` at once take turns."""
    with (VAR / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing_debian_packages(target: str) -> list[str]:
    have = {"python3-venv": has_venv()}
    if target in ("run", "test") and os.environ.get("TRUNKLINE_ENGINE") != "system":
        have |= {"mmdebstrap": has_command("mmdebstrap"), "bubblewrap": has_command("bwrap")}
        have |= {"uidmap": os.geteuid() == 0 or has_command("newuidmap")}
    if target in ("run", "test"):
        have |= {"fonts-dejavu-core": Path("/usr/share/fonts/truetype/dejavu").is_dir()}
    if target == "test":
        have |= {"chromium": has_command("chromium")}
        have |= {"postgresql": has_command("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))}
    return [package for package, there in have.items() if not there]


def has_command(name: str) -> bool:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def has_venv() -> bool:
    """Debian splits `ensurepip` off; a venv that is already there needs it no more."""
    if os.access(VENV / "bin" / "pip", os.X_OK):
        return True
    return subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0


def install_debian_packages(packages: list[str]) -> None:
    if not packages:
        return
    by_hand = f"Please install these Debian packages and try again: {' '.join(packages)}"
    if not has_command("apt-get"):
        sys.exit(by_hand)
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if as_root and not has_command("sudo"):
        sys.exit(by_hand)
    say(f"Installing Debian packages: {' '.join(packages)}")
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        if subprocess.run([*apt, *command], stdout=subprocess.DEVNULL, check=False).returncode:
            sys.exit(f"`apt-get {command[0]}` failed. {by_hand}")


def install_python_packages(target: str) -> None:
    wanted = LOCKS[target]
    hashes = {name: digest(name) for name in LOCKS.values()}
    if installed().get(wanted) == hashes[wanted]:
        return
    say(f"Installing Python packages of {wanted} into {VENV.relative_to(ROOT)} (once, about half a minute)")
    if not os.access(VENV / "bin" / "pip", os.X_OK):
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    run(*pip(VENV), "install", "--require-hashes", "--only-binary=:all:", "--no-deps", "-r", wanted)
    link_source()
    # the development lock is made under the other one's constraints: it holds the same versions, and more
    covered = hashes if target == "test" else {wanted: hashes[wanted]}
    STAMP.write_text(json.dumps(covered), encoding="utf-8")


def digest(lock_name: str) -> str:
    """Names the lock file's content, and the place: a virtual environment cannot be moved."""
    return hashlib.sha256((ROOT / lock_name).read_bytes() + bytes(VENV)).hexdigest()


def installed() -> dict[str, str]:
    if not os.access(VENV / "bin" / "python", os.X_OK) or not STAMP.exists():
        return {}
    return dict(json.loads(STAMP.read_text(encoding="utf-8")))


def link_source() -> None:
    """The checkout itself is what runs: no build, no copy."""
    for site in VENV.glob("lib/python3*/site-packages"):
        (site / "trunkline.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")


def write_locks() -> None:
    """Resolves pyproject.toml anew. The files name versions and hashes, and no index."""
    tools = VAR / "lock-venv"
    run(sys.executable, "-m", "venv", str(tools))
    run(*pip(tools), "install", PIP_TOOLS)
    compile_ = [str(tools / "bin" / "pip-compile"), "--quiet", "--generate-hashes", "--strip-extras", "--no-emit-index-url"]
    compile_ += ["--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options"]
    runtime, dev = LOCKS["run"], LOCKS["test"]
    run(*compile_, "-o", runtime, "pyproject.toml")
    run(*compile_, "--extra", "dev", "-c", runtime, "-o", dev, "pyproject.toml")


def pip(venv: Path) -> list[str]:
    return [str(venv / "bin" / "python"), "-m", "pip", "-qq", "--disable-pip-version-check"]


def run(*argv: str) -> None:
    environment = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"}
    if subprocess.run(argv, cwd=ROOT, env=environment, check=False).returncode:
        sys.exit(f"This failed: {' '.join(argv)}")


def say(what: str) -> None:
    print(f"· {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "python")
