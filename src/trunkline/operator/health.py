"""How the service is: processes, store, clock, journals, ledger (SPEC R12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from trunkline.operator.pages import operator_page
from trunkline.runtime.beat import read_beat, read_capture_beat
from trunkline.runtime.status import read_status
from trunkline.store import outbox, sizes
from trunkline.store.models import AuditEntry, Carrier, JournalPosition, LiveCall, ProviderEvent
from trunkline.usecases.self_check import CHECKED, check_ledger
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting


@dataclass(frozen=True, slots=True)
class Journals:
    """What the edge has written and call control has not read."""

    files: int
    unread_bytes: int


@dataclass(frozen=True, slots=True)
class Process:
    """As the supervisor tells it. `since`: when it was started; None: it does not run."""

    name: str
    state: str
    since: datetime | None
    restarts: int


@open_to(Audience.STAFF, changes=Audience.OPERATOR)
def health(request: HttpRequest) -> HttpResponse:
    """A POST recomputes the ledger: calls go on meanwhile."""
    if request.method == "POST":
        found = check_ledger(**acting(request))
        text = (
            "The ledger is whole." if found.ok else f"{len(found.differences)} differences: run ./trunkline audit and read what they are."
        )
        (messages.success if found.ok else messages.error)(request, text)
        return redirect("operator_health")
    page = {
        "processes": _processes(),
        "beat": read_beat(settings.INSTANCE.clock_beat),
        "captures": settings.INSTANCE.capture_calls_per_second > 0,
        "capture": (capture := read_capture_beat(settings.INSTANCE.capture_beat)),
        "not_captured": [(reason.replace("_", " "), count) for reason, count in capture.dropped.items()] if capture else [],
        "store_bytes": sizes.store_bytes(),
        "journals": _journals(settings.INSTANCE.spool_dir),
        "checked": AuditEntry.objects.filter(action=CHECKED).order_by("-id").first(),
        "live_calls": LiveCall.objects.count(),
        "carriers_down": list(Carrier.objects.filter(enabled=True, up=False).values_list("name", flat=True)),
        "given_up": outbox.given_up().count(),
        "waiting_events": ProviderEvent.objects.filter(applied_at=None).count(),
    }
    return operator_page(request, "operator/health.html", page)


def _processes() -> list[Process]:
    status = read_status(settings.INSTANCE)
    return [
        Process(one.name, one.state, datetime.fromisoformat(one.since) if one.since else None, one.restarts) for one in status.processes
    ]


def _journals(directory: Path) -> Journals:
    read: dict[str, int] = dict(JournalPosition.objects.values_list("file", "offset_bytes"))
    files = [(path.name, path.stat().st_size) for path in directory.glob("*.jsonl")] if directory.is_dir() else []
    return Journals(len(files), sum(max(0, size - read.get(name, 0)) for name, size in files))


urlpatterns = [path("health", health, name="operator_health")]
