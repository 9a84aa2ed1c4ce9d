"""`python -m trunkline.callcontrol`: call control of one edge."""

from __future__ import annotations

import gc
import os
import sys

import django

from trunkline.runtime.own_process import log_json, when_asked_to_end
from trunkline.runtime.settings import Settings, bracketed, load_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.store.settings")
django.setup()

from trunkline.callcontrol import metrics  # noqa: E402
from trunkline.callcontrol.daemon import CallControl, Ground  # noqa: E402
from trunkline.callcontrol.engines import EngineLook, MediaRelay  # noqa: E402
from trunkline.callcontrol.reconcile import Reconciler  # noqa: E402
from trunkline.edge.rpc import CARRIERS_FILE, KamailioRpc  # noqa: E402
from trunkline.store.checkpoints import take_over_checkpoints  # noqa: E402

FEW_COLLECTIONS = (50_000, 20, 50)
"""Calls are freed by reference counting; looking for cycles after every 700 allocations, as Python does by itself, costs 5 %."""


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    log_json()
    settings = load_settings()
    metrics.serve(settings.metrics_port)
    gc.set_threshold(*FEW_COLLECTIONS)
    control = _build(settings)
    take_over_checkpoints()
    when_asked_to_end(control.stop)
    control.run()
    return 0


def _build(settings: Settings) -> CallControl:
    edge = KamailioRpc(settings.kamailio_rpc_socket, settings.engines_dir / "kamailio" / CARRIERS_FILE)
    reconciler = Reconciler(EngineLook(edge, MediaRelay(settings.rtpengine_port)))
    reconciler.start()
    return CallControl(
        Ground(
            edge_name="edge",
            sip_domain=settings.sip_domain,
            echo_uri=f"sip:echo@{bracketed(settings.echo_address)}:{settings.echo_port}",
            socket_path=settings.callcontrol_socket,
            spool_dir=settings.spool_dir,
            edge=edge,
            reconciler=reconciler,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
