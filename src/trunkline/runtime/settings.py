"""An instance's settings: from the environment, then `trunkline.env`, then defaults (docs/reference/layout.md).

A wrong value stops the program with a message that names the variable: an instance never runs with a guess.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

PREFIX = "TRUNKLINE_"
MAX_PORT = 65_535
ECHO_PORT_COUNT = 400
RTP_PORT_COUNT_MIN = 16
MAIL_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
RUN_PATH_BYTES_MAX = 70  # a UNIX socket's path has 107 bytes; the rest is for the file name


class SettingsError(ValueError):
    """One line for each wrong setting."""


def _from_to(least: int, most: int, what: str = "whole number") -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"must be a {what} from {least} to {most}")
        return int(text)

    return read


_port = _from_to(1, MAX_PORT, "port number")
_workers = _from_to(1, 128, "number of processes")


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address") from None


def bracketed(address: str) -> str:
    """As it stands before a port: an IPv6 address in brackets (RFC 3986)."""
    return f"[{address}]" if ":" in address else address


def _domain(text: str) -> str:
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if len(text) > 253 or not re.fullmatch(rf"{label}(\.{label})*", text.lower()):
        raise ValueError("must be a domain name")
    return text.lower()


def _database_url(text: str) -> str:
    if text and urlsplit(text).scheme not in ("postgresql", "postgres"):
        raise ValueError("must be empty (SQLite) or postgresql://user@host/name")
    return text


def _engine(text: str) -> str:
    if text not in ("root", "system"):
        raise ValueError("must be `root` or `system`")
    return text


def _payment_provider(text: str) -> str:
    if text not in ("auto", "fake", "stripe", "none"):
        raise ValueError("must be `auto`, `fake`, `stripe` or `none`")
    return text


def _secret(text: str) -> str:
    return text


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("must be `true` or `false`")
    return text.lower() in ("true", "1")


def _mail(text: str) -> str:
    parts = urlsplit(text)
    if text != "file" and (parts.scheme not in MAIL_PORTS or not parts.hostname):
        raise ValueError("must be `file` or smtps://user:password@host, smtp://... (with STARTTLS) or smtp+plain://... (unencrypted)")
    _ = parts.port  # raises what is wrong with it
    return text


def _mail_from(text: str) -> str:
    if not text.isprintable() or not re.fullmatch(r"[^@<>]*[^@<>\s]@[^@<>\s]+|[^@<>]*<[^@<>\s]+@[^@<>\s]+>", text):
        raise ValueError("must be an address such as notices@example.com or Name <notices@example.com>")
    return text


def _web_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be like https://manager.example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def setting(default: T, read: Callable[[str], T]) -> T:
    made: T = field(default=default, metadata={"read": read})
    return made


def secret() -> str:
    """Is not shown in messages and logs."""
    made: str = field(default="", repr=False, metadata={"read": _secret})
    return made


@dataclass(frozen=True, kw_only=True)
class Settings:
    home: Path
    sip_address: str = setting("127.0.0.1", _address)
    advertised_address: str = setting("", _address)
    sip_domain: str = setting("trunkline.localhost", _domain)
    sip_port: int = setting(5060, _port)
    sips_port: int = setting(5061, _port)
    web_port: int = setting(8080, _port)
    web_url: str = setting("", _web_url)
    rtpengine_port: int = setting(2223, _port)
    rtp_port_min: int = setting(30000, _port)
    rtp_port_max: int = setting(39999, _port)
    echo_port: int = setting(5070, _port)
    metrics_port: int = setting(9464, _port)
    udp_workers: int = setting(4, _workers)
    invite_workers: int = setting(16, _workers)
    database_url: str = setting("", _database_url)
    engine: str = setting("root", _engine)
    allow_private_sources: bool = setting(default=False, read=_flag)
    lab_carrier_address: str = setting("127.0.0.2", _address)
    lab_carrier_port: int = setting(5080, _port)
    payment_provider: str = setting("auto", _payment_provider)
    stripe_secret_key: str = secret()
    stripe_webhook_secret: str = secret()
    mail: str = setting("file", _mail)
    mail_from: str = setting("Trunkline <notices@trunkline.localhost>", _mail_from)
    test_clock: bool = setting(default=False, read=_flag)
    capture_port: int = setting(9060, _port)
    capture_calls_per_second: int = setting(50, _from_to(0, 10_000))
    capture_bodies: bool = setting(default=False, read=_flag)
    capture_days: int = setting(7, _from_to(1, 3650))
    capture_megabytes: int = setting(1000, _from_to(1, 1_000_000))

    def __post_init__(self) -> None:
        if not self.advertised_address:
            object.__setattr__(self, "advertised_address", self.sip_address)
        if not self.web_url:
            object.__setattr__(self, "web_url", f"http://localhost:{self.web_port}")
        problems = _conflicts(self)
        if problems:
            raise SettingsError("\n".join(problems))

    @property
    def payments(self) -> str:
        """`fake`, `stripe` or `none`. The fake one gives Credit to whoever asks: by itself it is there only where nobody else comes."""
        if self.payment_provider != "auto":
            return self.payment_provider
        return "fake" if ipaddress.ip_address(self.sip_address).is_loopback else "none"

    @property
    def fake_payments_path(self) -> Path:
        return self.home / "fake-payments.sqlite3"

    @property
    def run_dir(self) -> Path:
        """Short enough for the sockets in it, wherever the home is."""
        inside = self.home / "run"
        if len(os.fsencode(inside)) <= RUN_PATH_BYTES_MAX:
            return inside
        return Path(f"/tmp/trunkline-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]}")  # noqa: S108 - made 0700, owner checked

    @property
    def spool_dir(self) -> Path:
        return self.home / "spool" / "edge"

    @property
    def engines_dir(self) -> Path:
        return self.home / "engines"

    @property
    def log_dir(self) -> Path:
        return self.home / "log"

    @property
    def mail_dir(self) -> Path:
        return self.home / "mail"

    @property
    def documents_dir(self) -> Path:
        return self.home / "documents"

    @property
    def sqlite_path(self) -> Path:
        return self.home / "store.sqlite3"

    @property
    def secret_key_path(self) -> Path:
        return self.home / "secret.key"

    @property
    def status_path(self) -> Path:
        return self.run_dir / "status.json"

    @property
    def clock_beat(self) -> Path:
        return self.run_dir / "clock.beat"

    @property
    def capture_address(self) -> str:
        """Of the home alone, so that two instances share a port. Kamailio sends from the address that it has for SIP: same family."""
        if ":" in self.sip_address:
            return "::1"
        digest = hashlib.blake2b(os.fsencode(self.home), digest_size=3).digest()
        return f"127.{digest[0]}.{digest[1]}.{1 + digest[2] % 254}"

    @property
    def capture_path(self) -> Path:
        return self.home / "capture.sqlite3"

    @property
    def capture_beat(self) -> Path:
        return self.run_dir / "capture.beat"

    @property
    def callcontrol_socket(self) -> Path:
        return self.run_dir / "callcontrol.sock"

    @property
    def kamailio_rpc_socket(self) -> Path:
        return self.run_dir / "kamailio-rpc.sock"

    @property
    def echo_address(self) -> str:
        """Loopback, of the family that Kamailio and RTPengine send from."""
        return "::1" if ":" in self.sip_address else "127.0.0.1"

    @property
    def echo_tls_port(self) -> int:
        """baresip listens for TLS on the port behind its own, and has no setting against it."""
        return self.echo_port + 1

    @property
    def echo_ports(self) -> tuple[int, int]:
        """The echo service takes the end of the media ports, a quarter of them at most."""
        count = min(ECHO_PORT_COUNT, (self.rtp_port_max - self.rtp_port_min + 1) // 4)
        first = self.rtp_port_max - count + 1
        return first + first % 2, self.rtp_port_max  # RTP is on even ports: from an odd one baresip would go down

    @property
    def rtpengine_ports(self) -> tuple[int, int]:
        return self.rtp_port_min, self.echo_ports[0] - 1

    def environment(self) -> dict[str, str]:
        """What a process of this instance is started with: every setting, spelt out."""
        return {variable(item.name): str(getattr(self, item.name)) for item in fields(self)}


def variable(field_name: str) -> str:
    return PREFIX + field_name.upper()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    environ = os.environ if environ is None else environ
    home = Path(environ.get(variable("home")) or "var").absolute()
    values = read_env_file(home / "trunkline.env") | {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    return Settings(home=home, **_read_all(values))


def _read_all(values: Mapping[str, str]) -> dict[str, Any]:
    """Empty counts as not set."""
    read: dict[str, Any] = {}
    problems = []
    for item in fields(Settings):
        text = values.get(variable(item.name), "").strip()
        if not text or "read" not in item.metadata:
            continue
        try:
            read[item.name] = item.metadata["read"](text)
        except ValueError as problem:
            problems.append(f"{variable(item.name)}={text!r} {problem}.")
    if problems:
        raise SettingsError("\n".join(problems))
    return read


def read_env_file(path: Path) -> dict[str, str]:
    """`TRUNKLINE_NAME=value` by line; a name that is not a setting is an error, since it is most likely a slip of the pen."""
    if not path.exists():
        return {}
    known = {variable(item.name) for item in fields(Settings)} - {variable("home")}
    values = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.strip() not in known:
            raise SettingsError(f"{path}, line {number}: {name.strip()!r} is not a setting of Trunkline.")
        values[name.strip()] = value.strip().strip("\"'")
    return values


def _conflicts(settings: Settings) -> list[str]:
    names = [item.name for item in fields(settings) if item.name.endswith("_port")]
    problems = []
    for number, name in enumerate(names):
        for other in names[:number]:
            if getattr(settings, name) == getattr(settings, other):
                problems.append(f"{variable(name)} and {variable(other)} are both {getattr(settings, name)}.")
        if getattr(settings, name) == settings.echo_tls_port:
            problems.append(
                f"{variable(name)} {settings.echo_tls_port} is the port behind {variable('echo_port')}: the echo service takes both."
            )
    if settings.echo_tls_port > MAX_PORT:
        problems.append(
            f"{variable('echo_port')} {settings.echo_port} must be {MAX_PORT - 1} or less: the echo service takes the port behind it, too."
        )
    if settings.rtp_port_max - settings.rtp_port_min + 1 < RTP_PORT_COUNT_MIN:
        problems.append(f"{variable('rtp_port_min')} to {variable('rtp_port_max')} must be {RTP_PORT_COUNT_MIN} ports or more.")
    problems += [
        _inside_media(settings, name) for name in names if settings.rtp_port_min <= getattr(settings, name) <= settings.rtp_port_max
    ]
    if settings.payments == "stripe":
        keys = ("stripe_secret_key", "stripe_webhook_secret")
        problems += [f"{variable(name)} is missing: TRUNKLINE_PAYMENT_PROVIDER is stripe." for name in keys if not getattr(settings, name)]
    return problems


def _inside_media(settings: Settings, name: str) -> str:
    """RTPengine shares a port that is taken, and from then on gets its packets: SIP would fall silent without a word."""
    return f"{variable(name)} {getattr(settings, name)} is one of the media ports {settings.rtp_port_min} to {settings.rtp_port_max}."


def remove_run_directory(settings: Settings) -> None:
    """One that is not in the home, since sockets' paths would be too long there, goes with the last process: nobody would find it again."""
    if settings.run_dir.parent != settings.home and not any(settings.run_dir.glob("*.pid")):
        shutil.rmtree(settings.run_dir, ignore_errors=True)


def make_directories(settings: Settings) -> None:
    for directory in (settings.home, settings.spool_dir, settings.engines_dir, settings.log_dir, settings.mail_dir):
        directory.mkdir(parents=True, exist_ok=True)
    for private in (settings.run_dir, settings.spool_dir.parent, settings.engines_dir):
        private.mkdir(mode=0o700, exist_ok=True)
        if private.is_symlink() or private.stat().st_uid != os.geteuid():
            raise SettingsError(f"{private} is not ours: it belongs to another user. Remove it, or set {variable('home')}.")
        private.chmod(0o700)
