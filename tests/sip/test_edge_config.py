"""What is written for Kamailio: complete, private, the same at each start, and accepted by the real Kamailio."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from trunkline.edge.config import EDGE_FILES, KAMAILIO_OPTIONS, answer_processes, udp_workers, write_kamailio_config
from trunkline.edge.rpc import write_carriers
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import Settings, make_directories

Written = Callable[..., tuple[Settings, Path]]


@pytest.fixture
def written(short_home: Path) -> Written:
    def write(**changes: object) -> tuple[Settings, Path]:
        settings = Settings(home=short_home, **changes)  # type: ignore[arg-type]
        make_directories(settings)
        return settings, write_kamailio_config(settings, settings.engines_dir / "kamailio")

    return write


def test_nothing_is_left_to_fill_in(written: Written) -> None:
    _, config = written()
    for path in config.parent.iterdir():
        if path.suffix in (".cfg", ".json"):
            assert "@{" not in path.read_text(encoding="utf-8"), path


def test_every_parameter_is_set_once(written: Written) -> None:
    _, config = written()
    found = re.findall(r'^modparam\("(\w+)", "(\w+)"', config.read_text(encoding="utf-8"), re.MULTILINE)
    repeatable = {("htable", "htable"), ("rtimer", "timer"), ("rtimer", "exec"), ("pv", "shvset")}
    once = [pair for pair in found if pair not in repeatable]
    assert len(once) == len(set(once))


def test_keys_are_for_the_owner_only(written: Written) -> None:
    _, config = written()
    for path in [config.parent, *config.parent.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_what_travels_in_calls_outlives_a_restart(written: Written) -> None:
    settings, config = written()
    before = {path.name: path.read_bytes() for path in config.parent.iterdir()}
    write_kamailio_config(settings, config.parent)
    assert {path.name: path.read_bytes() for path in config.parent.iterdir()} == before


def test_keys_differ_by_purpose(written: Written) -> None:
    settings, config = written()
    text = config.read_text(encoding="utf-8")
    mask = re.search(r'"mask_key", "(\w+)"', text)
    assert mask
    seal = json.loads((config.parent / "edge.json").read_text(encoding="utf-8"))["seal_key"]
    secret = settings.secret_key_path.read_text(encoding="ascii")
    assert len({mask[1], seal, secret}) == 3


def test_the_certificate_is_for_the_domain_and_kept(written: Written) -> None:
    settings, config = written(sip_domain="trunk.example", advertised_address="192.0.2.7")
    path = config.parent / "certificate.pem"
    names = x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["trunk.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    path.write_text("the operator's own", encoding="ascii")
    write_kamailio_config(settings, config.parent)
    assert path.read_text(encoding="ascii") == "the operator's own"


def test_as_many_processes_as_the_processors_are_good_for(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, _ = written(udp_workers=4, invite_workers=16)
    for processors, workers, processes in ((1, 2, 1), (2, 2, 1), (4, 4, 2), (64, 4, 8)):
        monkeypatch.setattr("os.cpu_count", lambda count=processors: count)
        assert (udp_workers(settings), answer_processes(settings)) == (workers, processes)


def test_the_list_of_carriers(tmp_path: Path) -> None:
    path = tmp_path / "carriers.list"
    write_carriers(path, [(3, "sip:192.0.2.1:5060"), (9, "sip:gw.example;transport=tls")])
    assert path.read_text(encoding="utf-8") == "3 sip:192.0.2.1:5060\n9 sip:gw.example;transport=tls\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.engines
@pytest.mark.parametrize(
    "changes",
    [{}, {"sip_address": "::1"}, {"advertised_address": "192.0.2.7"}, {"sip_address": "::1", "advertised_address": "2001:db8::7"}],
)
def test_kamailio_accepts_it(written: Written, changes: dict[str, str]) -> None:
    settings, config = written(**changes)
    argv = ["kamailio", "-c", "-E", *KAMAILIO_OPTIONS, "-Y", str(settings.run_dir), "-f", str(config)]
    writable = [settings.run_dir, settings.spool_dir, config.parent]
    command = engine_command(ensure_root("engine"), argv, writable=writable, readable=[EDGE_FILES])
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "ERROR" not in done.stderr
