"""This instance, as `trunkline.edge.config` wrote it down for its Kamailio."""

from __future__ import annotations

import json
import time
from pathlib import Path

import KSR

_written = json.loads(Path(KSR.pv.get("$def(EDGE)")).read_text(encoding="utf-8"))

DOMAIN: str = _written["domain"]
EDGE_NAME: str = _written["edge"]
RUN_DIR: str = _written["run_dir"]
SPOOL_DIR: str = _written["spool_dir"]
ASK_TIMEOUT_MS: int = _written["ask_timeout_ms"]
ANSWER_PROCESSES: int = _written["answer_processes"]
ANNOUNCEMENT: str = _written["announcement"]
"""A file that RTPengine finds."""
ALIAS: str = _written["alias"]
"""The Contact parameter that holds where a PBX behind NAT really is. Its name is secret: what a stranger could write would lead requests anywhere."""
SEAL_KEY: bytes = bytes.fromhex(_written["seal_key"])

BOOT_US = time.time_ns() // 1000
"""This module is imported once, before Kamailio forks: all workers have the same."""


def now_us() -> int:
    return time.time_ns() // 1000
