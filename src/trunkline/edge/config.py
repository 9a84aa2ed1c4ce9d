"""Kamailio's configuration for one instance, readable, each value with its reason beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from string import Template

from trunkline.edge.certificate import ensure_certificate
from trunkline.edge.rpc import CARRIERS_FILE
from trunkline.runtime.engines.rtpengine import ECHO_ANNOUNCEMENT
from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import Settings, bracketed

# `tlsf`: a memory manager without debugging. Kamailio's own choice takes a third of all CPU that a call costs (docs/explanation/edge.md).
KAMAILIO_OPTIONS = ("-m", "512", "-M", "16", "-x", "tlsf", "-X", "tlsf")
ASK_TIMEOUT_MS = 1500
ANSWER_PROCESSES_MAX = 8
UDP_WORKERS_MIN = 2
"""One may be waiting for a carrier's address or for RTPengine."""
EDGE_FILES = Path(__file__).parent
"""What Kamailio must be able to read beside its directory."""
PARTS = EDGE_FILES / "kamailio"
ENTRY = EDGE_FILES / "entry.py"


def write_kamailio_config(settings: Settings, directory: Path) -> Path:
    """Write everything that Kamailio reads at its start into `directory`; the file to start it with."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    carriers = directory / CARRIERS_FILE
    carriers.touch(mode=0o600)  # call control fills it; Kamailio wants it to be there
    certificate, key = ensure_certificate(directory, settings.sip_domain, settings.advertised_address)
    processes = answer_processes(settings)
    values = {
        "address": bracketed(settings.sip_address),
        "advertised": bracketed(settings.advertised_address),
        "sip_port": settings.sip_port,
        "sips_port": settings.sips_port,
        "domain": settings.sip_domain,
        "udp_workers": udp_workers(settings),
        "rtpengine_port": settings.rtpengine_port,
        "rpc_socket": settings.kamailio_rpc_socket,
        "mask_key": derived_key(settings, "edge topology mask").hex(),
        "alias": contact_alias(settings),
        "edge_json": directory / "edge.json",
        "entry": ENTRY,
        "carriers": carriers,
        "tls": directory / "tls.cfg",
        "capture": _capture(settings),
        "answers": "\n".join(_answer_process(number) for number in range(processes)),
    }
    _write(directory / "tls.cfg", _filled("tls.cfg", {"certificate": certificate, "key": key}))
    _write(directory / "edge.json", json.dumps(_script_settings(settings, processes), indent=1))
    return _write(directory / "kamailio.cfg", _filled("kamailio.cfg", values))


def udp_workers(settings: Settings) -> int:
    """Never more than processors: another process beside busy ones only cools their caches (docs/explanation/edge.md)."""
    return min(settings.udp_workers, max(UDP_WORKERS_MIN, os.cpu_count() or 1))


def answer_processes(settings: Settings) -> int:
    """One for two processors: what it does is a fifth of a call's work in Kamailio."""
    return max(1, min(settings.invite_workers, (os.cpu_count() or 1) // 2, ANSWER_PROCESSES_MAX))


def _answer_process(number: int) -> str:
    """It begins when its interval is over for the first time: a second would be a second of questions without answers after each start."""
    return (
        f'modparam("rtimer", "timer", "name=answers{number};interval=1000u;mode=1;")\n'
        f'modparam("rtimer", "exec", "timer=answers{number};route=ksr_answers_{number}")'
    )


def _capture(settings: Settings) -> str:
    """What the configuration looks at: whether, and where to."""
    if not settings.capture_calls_per_second:
        return "# Nothing is captured: TRUNKLINE_CAPTURE_CALLS_PER_SECOND is 0."
    uri = f"sip:{bracketed(settings.capture_address)}:{settings.capture_port}"
    return f'#!define CAPTURE "{uri}"\n#!define CAPTURE_KEY "{capture_key(settings)}"'


def capture_key(settings: Settings) -> str:
    """With it in them the capture believes that messages are the edge's."""
    return derived_key(settings, "capture").hex()[:32]


def _script_settings(settings: Settings, processes: int) -> dict[str, str | int]:
    return {
        "domain": settings.sip_domain,
        "edge": "edge",
        "run_dir": str(settings.run_dir),
        "spool_dir": str(settings.spool_dir),
        "ask_timeout_ms": ASK_TIMEOUT_MS,
        "answer_processes": processes,
        "announcement": str(ECHO_ANNOUNCEMENT),
        "alias": contact_alias(settings),
        "seal_key": derived_key(settings, "edge seals").hex(),
    }


def contact_alias(settings: Settings) -> str:
    """A name that nobody outside knows, and that outlives a restart: Contacts with it are in the dialogs of PBXs."""
    return f"tla{derived_key(settings, 'edge contact alias').hex()[:12]}"


def _filled(name: str, values: dict[str, object]) -> str:
    """`@{name}` in the templates: `$` is Kamailio's own."""
    return _AtTemplate((PARTS / name).read_text(encoding="utf-8")).substitute(values)


class _AtTemplate(Template):
    delimiter = "@"


def _write(path: Path, content: str) -> Path:
    """Keys are in it: for its owner only, from the first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    return fresh.replace(path)
