"""Settings: from where, in which order, and how wrong ones are refused."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from trunkline.runtime import instance
from trunkline.runtime.keys import derived_key, secret_key
from trunkline.runtime.settings import Settings, SettingsError, load_settings, make_directories, variable
from trunkline.runtime.status import bring_down
from trunkline.runtime.supervisor import StartError


def write_env_file(home: Path, *lines: str) -> None:
    (home / "trunkline.env").write_text("\n".join(lines), encoding="utf-8")


def test_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load_settings({"TRUNKLINE_HOME": str(tmp_path)})
    assert (settings.home, settings.sip_port, settings.engine) == (tmp_path, 5060, "root")
    assert settings.advertised_address == settings.sip_address


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    write_env_file(tmp_path, "# ports", "", "TRUNKLINE_SIP_PORT=5160", 'TRUNKLINE_WEB_PORT = "8180"')
    settings = load_settings({"TRUNKLINE_HOME": str(tmp_path), "TRUNKLINE_SIP_PORT": "5260"})
    assert (settings.sip_port, settings.web_port, settings.echo_port) == (5260, 8180, 5070)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_PORT", "0"),
        ("SIP_PORT", "65536"),
        ("SIP_PORT", "5060 udp"),
        ("UDP_WORKERS", "0"),
        ("SIP_ADDRESS", "localhost"),
        ("ADVERTISED_ADDRESS", "300.1.1.1"),
        ("SIP_DOMAIN", "a domain"),
        ("SIP_DOMAIN", "evil.example\r\nX: y"),
        ("DATABASE_URL", "mysql://x"),
        ("ENGINE", "docker"),
        ("ALLOW_PRIVATE_SOURCES", "yes"),
        ("MAIL", "mail.example"),
        ("MAIL", "http://mail.example"),
        ("MAIL", "smtp://mail.example:x"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b\r\nBcc: c@d"),
        ("TEST_CLOCK", "maybe"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"TRUNKLINE_{name}="):
        load_settings({"TRUNKLINE_HOME": str(tmp_path), f"TRUNKLINE_{name}": value})


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"(?s)SIP_PORT.*\n.*ENGINE"):
        load_settings({"TRUNKLINE_HOME": str(tmp_path), "TRUNKLINE_SIP_PORT": "x", "TRUNKLINE_ENGINE": "x"})


def test_a_slip_in_the_file_is_refused_with_its_line(tmp_path: Path) -> None:
    write_env_file(tmp_path, "TRUNKLINE_SIP_PORT=5060", "TRUNKLINE_SIPPORT=5061")
    with pytest.raises(SettingsError, match="line 2: 'TRUNKLINE_SIPPORT'"):
        load_settings({"TRUNKLINE_HOME": str(tmp_path)})


def test_one_port_cannot_be_two_things(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRUNKLINE_SIPS_PORT and TRUNKLINE_SIP_PORT are both 5061"):
        Settings(home=tmp_path, sip_port=5061)


def test_the_port_behind_the_echo_service_is_taken(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRUNKLINE_METRICS_PORT 5071 is the port behind TRUNKLINE_ECHO_PORT"):
        Settings(home=tmp_path, metrics_port=5071)
    with pytest.raises(SettingsError, match="TRUNKLINE_ECHO_PORT 65535 must be 65534 or less"):
        Settings(home=tmp_path, echo_port=65_535)


def test_a_sip_port_is_not_a_media_port(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRUNKLINE_SIP_PORT 31000 is one of the media ports"):
        Settings(home=tmp_path, sip_port=31_000)


def test_the_echo_service_and_rtpengine_share_no_media_port(tmp_path: Path) -> None:
    for last in (30_015, 30_016, 30_063, 39_999, 40_000):
        settings = Settings(home=tmp_path, rtp_port_max=last)
        assert settings.echo_ports[0] % 2 == 0
        assert settings.rtpengine_ports[1] + 1 == settings.echo_ports[0] <= settings.echo_ports[1] == last
    with pytest.raises(SettingsError, match="16 ports or more"):
        Settings(home=tmp_path, rtp_port_max=30_014)


def test_what_is_handed_to_children_reads_back_the_same(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, sip_port=6060, sip_domain="trunk.example", allow_private_sources=True)
    assert load_settings(settings.environment()) == settings


def test_the_run_directory_is_short_enough_for_sockets_and_private(tmp_path: Path) -> None:
    deep = Settings(home=tmp_path / ("very" * 20))
    assert len(os.fsencode(deep.run_dir)) <= 70
    assert deep.run_dir != Settings(home=tmp_path / ("very" * 21)).run_dir
    try:
        make_directories(deep)
        assert stat.S_IMODE(deep.run_dir.stat().st_mode) == 0o700
    finally:
        deep.run_dir.rmdir()


def test_a_run_directory_that_somebody_else_placed_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    (tmp_path / "trap").mkdir()
    settings.run_dir.symlink_to(tmp_path / "trap")
    try:
        with pytest.raises(SettingsError, match="not ours"):
            make_directories(settings)
    finally:
        settings.run_dir.unlink()


def test_a_run_directory_beside_the_home_goes_when_the_instance_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way: it does not come up, it ends, or `down` clears up after one that was killed."""

    def prepare(settings: Settings, say: object) -> None:
        assert settings.run_dir.is_dir()
        raise StartError("no engines")

    monkeypatch.setattr(instance, "prepare", prepare)
    deep = Settings(home=tmp_path / ("very" * 20))
    with pytest.raises(StartError):
        instance.run_in_foreground(deep, print, lambda: None)
    assert not deep.run_dir.exists()
    make_directories(deep)
    process = deep.run_dir / "echo.pid"
    process.touch()
    with pytest.raises(StartError):
        instance.run_in_foreground(deep, print, lambda: None)
    assert process.exists(), "a process of a supervisor that was killed is found by it"
    process.unlink()
    asyncio.run(bring_down(deep))
    assert (deep.run_dir.exists(), deep.home.is_dir()) == (False, True)


def test_a_run_directory_in_the_home_stays(short_home: Path) -> None:
    settings = Settings(home=short_home)
    make_directories(settings)
    asyncio.run(bring_down(settings))
    assert settings.run_dir.is_dir()


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    key = secret_key(settings)
    assert key == secret_key(settings)
    assert len(key) == 32
    assert stat.S_IMODE(settings.secret_key_path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert derived_key(settings, "topology") != derived_key(settings, "web") != key


def test_a_damaged_secret_key_is_not_used(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.secret_key_path.write_text("abcd", encoding="ascii")
    with pytest.raises(SettingsError, match="damaged"):
        secret_key(settings)


def test_names_of_variables() -> None:
    assert variable("sip_port") == "TRUNKLINE_SIP_PORT"
