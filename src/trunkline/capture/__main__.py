"""`python -m trunkline.capture`: keeps the SIP messages of an instance's calls."""

from __future__ import annotations

import sys

from trunkline.capture.gate import Gate, Switch
from trunkline.capture.receiver import Limits, Receiver, open_channel
from trunkline.edge.config import capture_key
from trunkline.edge.rpc import CARRIERS_FILE, KamailioRpc
from trunkline.runtime.own_process import log_json, when_asked_to_end
from trunkline.runtime.settings import Settings, bracketed, load_settings
from trunkline.store.ladders import LadderFile

RPC_TIMEOUT_SECONDS = 0.2
MEGABYTE = 1_000_000


def receiver_of(settings: Settings) -> Receiver:
    """Listens from now on."""
    address = bracketed(settings.sip_address)
    limits = Limits(
        ours=frozenset((f"{address}:{settings.sip_port}", f"{address}:{settings.sips_port}")),
        key=capture_key(settings).encode(),
        with_bodies=settings.capture_bodies,
        days=settings.capture_days,
        bytes_max=settings.capture_megabytes * MEGABYTE,
    )
    carriers = settings.engines_dir / "kamailio" / CARRIERS_FILE
    rpc = KamailioRpc(settings.kamailio_rpc_socket, carriers, timeout_seconds=RPC_TIMEOUT_SECONDS)
    return Receiver(
        channel=open_channel(settings.capture_address, settings.capture_port),
        file=LadderFile(settings.capture_path),
        gate=Gate(settings.capture_calls_per_second),
        switch=Switch(rpc),
        limits=limits,
        beat_path=settings.capture_beat,
    )


def main() -> int:
    """Run until SIGTERM or SIGINT; what has come is kept first."""
    log_json()
    receiver = receiver_of(load_settings())
    when_asked_to_end(receiver.stopping.set)
    receiver.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
