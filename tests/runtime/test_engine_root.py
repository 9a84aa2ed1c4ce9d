"""Engine roots and the sandbox: what is safe, what is seen, and what cannot be touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from trunkline.runtime import engine_root as module
from trunkline.runtime.engine_root import ROOTS, EngineError, RootSpec, check_versions, debian_mirror, ensure_root
from trunkline.runtime.sandbox import Confinement, confinement, engine_command, seen_inside


@pytest.fixture(scope="session")
def root() -> Path:
    return ensure_root("engine")


def installed(directory: Path, kamailio: str, rtpengine: str) -> None:
    for name, words in (("kamailio", f"version: kamailio {kamailio} (x86_64/Linux)"), ("rtpengine", f"Version: {rtpengine}")):
        program = directory / name
        program.write_text(f"#!/bin/sh\necho '{words}'\n", encoding="utf-8")
        program.chmod(0o755)


@pytest.mark.parametrize(
    ("kamailio", "rtpengine", "unsafe"),
    [
        ("5.6.3", "26.0.1.26+0~mr26.0.1.26", "kamailio 5.6.3"),
        ("6.1.3", "13.4", "kamailio 6.1.3"),
        ("6.1.4", "13.3.9.9", "rtpengine 13.3.9.9"),
        ("6.1.4", "10.5.3.5-1", "rtpengine 10.5.3.5"),
    ],
)
def test_unsafe_installed_engines_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kamailio: str, rtpengine: str, unsafe: str
) -> None:
    installed(tmp_path, kamailio, rtpengine)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EngineError, match=f"{unsafe} is not safe to run: older ones"):
        check_versions(None)


def test_the_oldest_safe_installed_engines_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "6.1.4", "13.4.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert check_versions(None) == {"kamailio": "6.1.4", "rtpengine": "13.4.0.0"}


def test_engines_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="kamailio is not installed"):
        check_versions(None)


def test_another_package_list_is_another_root() -> None:
    one, other = RootSpec("engine", ("a", "b"), ""), RootSpec("engine", ("a", "c"), "")
    assert one.path != other.path
    assert one.path.parent == other.path.parent == module.roots_dir()


@pytest.mark.parametrize(
    ("targets", "site"),
    [
        ("http://a/debian-security|main|Debian-Security|bookworm-security\nhttp://b/debian|main|Debian|bookworm", "http://b/debian"),
        (
            "https://other/x|main|Node Source|nodistro\nhttp://b/debian|contrib|Debian|trixie\nhttp://c/debian|main|Debian|trixie",
            "http://c/debian",
        ),
        ("http://a/debian-security|main||bookworm-security\nhttp://b/debian|main||bookworm", "http://b/debian"),
    ],
)
def test_the_mirror_is_the_hosts_own(monkeypatch: pytest.MonkeyPatch, targets: str, site: str) -> None:
    monkeypatch.setattr(module, "_host_apt", lambda command: targets)
    assert debian_mirror() == site


def test_a_host_without_a_debian_mirror_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_host_apt", lambda command: "")
    with pytest.raises(EngineError, match="TRUNKLINE_ENGINE=system"):
        debian_mirror()


def test_a_build_that_fails_leaves_no_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(ROOTS, "broken", RootSpec("broken", ("x",), "nothing"))
    monkeypatch.setattr(module, "_make_tree", lambda spec, tree, output, say: bool(output.write("E: no such package\n")) and False)
    with pytest.raises(EngineError, match="E: no such package"):
        ensure_root("broken", say=lambda text: None)
    assert sorted(path.name for path in module.roots_dir().iterdir()) == ["broken.lock", "broken.log"]


def test_a_fresh_build_replaces_the_root_and_keeps_the_former_one_for_who_runs_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def make_tree(spec: RootSpec, tree: Path, output: object, say: object) -> bool:
        tree.mkdir()
        (tree / "made").write_text(str(len(built)), encoding="utf-8")
        built.append(tree)
        return True

    built: list[Path] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(ROOTS, "stub", RootSpec("stub", ("x",), "nothing"))
    monkeypatch.setattr(module, "_make_tree", make_tree)
    for fresh in (False, False, True, True):
        path = ensure_root("stub", say=lambda text: None, fresh=fresh)
    assert (path / "made").read_text() == "2"
    assert [(former / "made").read_text() for former in module.roots_dir().glob(".former-stub-*")] == ["1"]


@pytest.mark.engines
def test_our_root_is_safe(root: Path) -> None:
    assert check_versions(root).keys() == {"kamailio", "rtpengine"}


WAYS = [way for way in Confinement if confinement() is Confinement.NAMESPACES or way is not Confinement.NAMESPACES]


@pytest.mark.engines
@pytest.mark.parametrize("way", WAYS)
def test_engines_run_in_every_way(root: Path, way: Confinement) -> None:
    for argv in (["kamailio", "-v"], ["rtpengine", "--version"]):
        done = subprocess.run(engine_command(root, argv, way=way), capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        assert "ersion" in done.stdout + done.stderr


def inside(
    root: Path, script: str, *, writable: list[Path] | None = None, readable: list[Path] | None = None
) -> subprocess.CompletedProcess[str]:
    command = engine_command(root, ["sh", "-c", script], writable=writable or [], readable=readable or [], die_with_parent=True)
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.engines
@pytest.mark.skipif(confinement() is Confinement.NONE, reason="this host allows no mount namespaces")
class TestSandbox:
    def test_only_what_is_given_can_be_written(self, root: Path, tmp_path: Path) -> None:
        ours, shown = tmp_path / "ours", tmp_path / "shown"
        for directory in (ours, shown):
            directory.mkdir()
        (shown / "script").write_text("print()", encoding="utf-8")
        assert inside(root, f"echo x > {ours}/written && cat {shown}/script", writable=[ours], readable=[shown]).stdout == "print()"
        assert (ours / "written").read_text() == "x\n"
        for place in ("/", "/usr", "/etc", "/var", str(shown)):
            assert inside(root, f"touch {place}/x", writable=[ours], readable=[shown]).returncode != 0, place
        inside(root, f"touch {tmp_path}/x", writable=[ours])  # a private /tmp, that is gone afterwards
        assert not (tmp_path / "x").exists()

    def test_nothing_else_of_the_host_is_seen(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("x", encoding="utf-8")
        other = tmp_path / "other"
        other.mkdir()
        assert inside(root, f"test -e {tmp_path}/secret", writable=[other]).returncode == 1
        assert inside(root, f"test -e {Path(__file__)}").returncode == 1
        assert inside(root, "env").stdout.count("TRUNKLINE") == 0

    def test_a_home_below_a_directory_of_the_root_can_be_given(self, root: Path) -> None:
        """As `/var/lib/trunkline` would be: the rest of that directory is still the root's."""
        given = Path("/var/lib/dpkg")
        seen = inside(root, "ls /var/lib; ls /var/lib/dpkg", readable=[given]).stdout.split()
        assert {"apt", "python"} <= set(seen)

    def test_root_outside_has_no_powers_inside(self, root: Path) -> None:
        capabilities = inside(root, "grep CapEff /proc/self/status").stdout.split()[1]
        assert int(capabilities, 16) & ~(1 << 10) == 0  # CAP_NET_BIND_SERVICE

    def test_an_engine_sees_no_process_but_its_own(self, root: Path) -> None:
        if confinement() is not Confinement.NAMESPACES:
            pytest.skip("this host masks /proc")
        assert inside(root, "echo /proc/[0-9]*").stdout.split() == ["/proc/1"]


def test_where_an_engine_finds_its_own_files(tmp_path: Path) -> None:
    modules = Path("/usr/lib/modules")
    assert seen_inside(tmp_path, modules, Confinement.NAMESPACES) == modules
    assert seen_inside(tmp_path, modules, Confinement.NONE) == tmp_path / "usr/lib/modules"
    assert seen_inside(None, modules, Confinement.NONE) == modules
