"""The whole campaign again and again: what it takes of memory, descriptors and disk the first time, it must not take every time."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.company import ALPHA_NUMBER, CARRIER_ADDRESS, FIXED_ADDRESS
from tests.security.instance import WholeInstance
from tests.security.mutation import mutants
from tests.security.people import LANDLINE
from tests.security.strangers import Sender, addresses, ask_over_tcp
from tests.security.test_mutations import Answering, fresh, originals, quiet, refusing, send_all
from tests.security.test_streams import GARBAGE, PACKETS

pytestmark = [pytest.mark.engines, pytest.mark.slow, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "3"))
SEED = int(os.environ.get("FUZZ_SEED", "3261"))
STRANGERS, FROM_ONE_STRANGER, KNOWN_SENDS = 250, 40, 3000
SETTLED_SECONDS = 90
"""Identities that call control told are kept for 30 seconds, pike's addresses for some more, transactions for less."""
SHARED_GROWTH_BYTES = 4 << 20
WORKER_GROWTH_BYTES = 2 << 20


def campaign(instance: WholeInstance, seed: int) -> Counter[int]:
    seen: Counter[int] = Counter()
    for count, stranger in enumerate(itertools.islice(addresses(), STRANGERS)):
        with Sender(instance.server, stranger) as sender:
            known = originals(instance, stranger, sender.port, LANDLINE)
            seen += send_all(sender, fresh(mutants(seed + count, known, FROM_ONE_STRANGER)))
            for packet in PACKETS.values():
                sender.send(packet)
    with Answering(instance, refusing):
        for host, port, dialled in ((FIXED_ADDRESS, instance.cast.fixed.port, LANDLINE), (CARRIER_ADDRESS, 0, ALPHA_NUMBER)):
            with Sender(instance.server, host, port) as sender:
                seen += send_all(sender, fresh(mutants(seed, originals(instance, host, sender.port, dialled), KNOWN_SENDS)))
        for data in GARBAGE.values():
            ask_over_tcp(instance.server, data, within=0.05)
            ask_over_tcp(instance.tls_server, data, within=0.05)
        quiet(instance)
    return seen


def settled(instance: WholeInstance) -> dict[str, Any]:
    """What is held when everything that expires has expired."""
    lowest = instance.vitals()

    def is_lower() -> bool:
        nonlocal lowest
        now = instance.vitals()
        lowest = min(lowest, now, key=lambda each: each.shared_bytes)
        return False

    with pytest.raises(AssertionError):
        instance.eventually(is_lower, "never", within=SETTLED_SECONDS)
    return {"shared": lowest.shared_bytes, "files": lowest.files, "private": instance.private_bytes(), "log": lowest.log_bytes}


def rounds(instance: WholeInstance) -> Iterator[dict[str, Any]]:
    for number in range(ROUNDS):
        seen = campaign(instance, SEED + 1000 * number)
        yield settled(instance) | {"round": number, "answers": dict(sorted(seen.items()))}


def test_nothing_grows_without_end(instance: WholeInstance) -> None:
    """The first round fills pools, tables and caches; the later ones find room in them."""
    told = []
    for each in rounds(instance):
        told.append(each)
        print(json.dumps(each))
    first, last = told[0], told[-1]
    assert last["shared"] - first["shared"] < SHARED_GROWTH_BYTES
    growth = {name: last["private"][name] - first["private"][name] for name in first["private"]}
    workers = len(instance.vitals().workers)
    assert growth["kamailio"] < WORKER_GROWTH_BYTES * workers, growth
    assert max(growth["callcontrol"], growth["rtpengine"]) < 32 << 20, growth
    assert {
        name: last["files"][name] - first["files"][name] for name in first["files"] if last["files"][name] > first["files"][name] + 5
    } == {}
