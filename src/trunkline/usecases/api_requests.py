"""Requests that are made once, however often they are sent: by their Idempotency-Key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from trunkline.domain.errors import Conflict
from trunkline.store import sealing
from trunkline.store.models import ApiRequest

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=2)
"""Longer than a web worker may take: it has died, and the request may be made again. What moves money has a reference made of the key."""
BATCH = 1_000


class KeyReused(Conflict):
    """The key belongs to another request."""


class UnderWay(Conflict):
    """The same request is being done at this moment."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str


def begin(*, now: datetime, manager_id: int, key: str, request: bytes) -> Answer | None:
    """None: do it, then `finish` or `forget`. An answer: it was done before. `key` is the token's own."""
    digest = hashlib.sha256(request).hexdigest()
    try:
        ApiRequest.objects.create(manager_id=manager_id, key=key, request_digest=digest, started_at=now)
    except IntegrityError:
        return _again(now, key, digest)
    return None


def finish(*, key: str, answer: Answer) -> None:
    ApiRequest.objects.filter(key=key).update(status=answer.status, answer_sealed=sealing.seal(answer.body))


def forget(*, key: str) -> None:
    """It came to nothing: the same key may try again."""
    ApiRequest.objects.filter(key=key, status=0).delete()


def prune(now: datetime) -> int:
    """Those that nobody repeats any more. Returns how many."""
    old = list(ApiRequest.objects.filter(started_at__lt=now - KEPT).order_by("started_at").values_list("pk", flat=True)[:BATCH])
    return ApiRequest.objects.filter(pk__in=old).delete()[0] if old else 0


def _again(now: datetime, key: str, digest: str) -> Answer | None:
    known = ApiRequest.objects.filter(key=key).first()
    if known is not None and known.request_digest != digest:
        raise KeyReused("This Idempotency-Key was used for another request: take a new one for each thing that you want done.")
    if known is not None and known.status:
        return Answer(known.status, sealing.unseal(known.answer_sealed))
    abandoned = ApiRequest.objects.filter(key=key, status=0, started_at__lte=now - ABANDONED)
    if not abandoned.update(started_at=now):
        raise UnderWay("The same request is being done at this moment: send it again in a second to hear how it ended.")
    return None
