"""What every request of the API passes: who is it, not too often, and once only if it carries an Idempotency-Key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any
from uuid import uuid4

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from ninja.security import HttpBearer

from trunkline.api.failures import Forbidden, failure, of_problem
from trunkline.api.shapes import the_one
from trunkline.domain.errors import Invalid, Problem
from trunkline.store.clock import now
from trunkline.store.models import ApiToken, Manager, Profile
from trunkline.store.work import By
from trunkline.usecases import api_requests, api_tokens
from trunkline.usecases.api_requests import Answer
from trunkline.web.access import Audience, open_to
from trunkline.web.pace import Bucket

REQUESTS_PER_SECOND = 20.0
BURST = 60.0
MOST_BUCKETS = 10_000
LARGEST_BYTES = 256 * 1024
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
View = Callable[..., HttpResponseBase]


class ApiRequest(HttpRequest):
    """What an operation gets. `reference`: of what it buys; the same Idempotency-Key has the same one."""

    token: ApiToken
    company: Manager
    reference: str


class Right(HttpBearer):
    """The authentication of an operation: whose tokens may use it."""

    openapi_name = "Token"

    def __init__(self, audience: Audience) -> None:
        super().__init__()
        self.audience = audience

    def __call__(self, request: HttpRequest) -> ApiToken:
        """The token is known by now (`door`)."""
        token: ApiToken = request.token  # type: ignore[attr-defined] # ApiRequest
        if token.role not in self.audience.roles:
            raise Forbidden(f"This is for {self.audience.text}; the token's role is {token.role}.")
        if self.audience is Audience.RECORDS and not token.call_details:
            raise Forbidden("This token may not see call details: an administrator can make one that may.")
        return token

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        raise NotImplementedError("`door` has done that")


class Buckets:
    """By token; of unknown ones by where they come from."""

    def __init__(self) -> None:
        self._known: dict[str, Bucket] = {}
        self._lock = Lock()

    def take(self, whose: str) -> bool:
        with self._lock:
            if len(self._known) >= MOST_BUCKETS:
                self._known.clear()
            bucket = self._known.setdefault(whose, Bucket(REQUESTS_PER_SECOND, BURST))
        return bucket.take()


buckets = Buckets()


def door(view: View) -> View:
    """Around every operation."""

    @csrf_exempt  # no cookie is looked at
    @open_to(Audience.ANYONE)  # the token decides
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        token = _token(request)
        whose = f"token {token.pk}" if token else f"address {_address(request)}"
        if not buckets.take(whose):
            return failure("too_many_requests", headers={"Retry-After": "1"})
        if token is None:
            return failure("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="Trunkline"'})
        _let_in(request, token)
        try:
            if len(request.body) > LARGEST_BYTES:
                return failure("bad_request", f"A body has at most {LARGEST_BYTES} bytes.")
            return _once(request, lambda: _answered(view(request, *args, **kwargs)))
        except Problem as problem:
            return of_problem(problem)

    return guarded


def acting(request: ApiRequest) -> dict[str, Any]:
    """`now`, and `by` which token, from where."""
    return {"now": now(), "by": By(f"{request.token.name[:60]} (API {request.token.prefix})"[:80], _address(request))}


def profile_of(request: ApiRequest, profile_id: int) -> Profile:
    """Raises `NotFound` for what is not this company's."""
    mine = Profile.objects.select_related("account", "manager", "channeluse", "registration").filter(manager=request.company)
    return the_one(mine.exclude(state=Profile.State.DELETED), profile_id, "SIP Profile")


def profile_ever(request: ApiRequest, profile_id: int) -> Profile:
    """Deleted ones, too: they have records."""
    return the_one(Profile.objects.filter(manager=request.company), profile_id, "SIP Profile")


def _token(request: HttpRequest) -> ApiToken | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return api_tokens.recognise(now(), secret.strip()) if scheme.lower() == "bearer" and secret.strip() else None


def _let_in(request: HttpRequest, token: ApiToken) -> None:
    given = request.headers.get("Idempotency-Key", "")
    reference = hashlib.sha256(f"{token.pk} {given}".encode()).hexdigest()[:40] if given else uuid4().hex
    request.token, request.company, request.reference = token, token.manager, reference  # type: ignore[attr-defined] # ApiRequest


def _once(request: HttpRequest, do: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Only what was done is kept: a request that was refused has changed nothing, and may be made again."""
    given = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not given:
        return do()
    if not _KEY.fullmatch(given):
        raise Invalid("Idempotency-Key", "An Idempotency-Key has 1 to 128 visible ASCII characters.")
    token: ApiToken = request.token  # type: ignore[attr-defined] # ApiRequest
    key = hashlib.sha256(f"{token.pk} {given}".encode()).hexdigest()
    about = f"POST {request.get_full_path()}\n".encode() + request.body
    if before := api_requests.begin(now=now(), manager_id=token.manager_id, key=key, request=about):
        return _as_json(before.body, before.status, {"Idempotent-Replayed": "true"})
    try:
        answer = do()
        if isinstance(answer, HttpResponse) and 200 <= answer.status_code < 300:
            api_requests.finish(key=key, answer=Answer(answer.status_code, answer.content.decode()))
        return answer
    finally:
        api_requests.forget(key=key)


def _answered(answer: HttpResponseBase) -> HttpResponseBase:
    """Ninja's own words for a method that there is not, in our shape. What may hold secrets is in no cache."""
    if answer.status_code == 405:
        answer = failure("method_not_allowed", headers={"Allow": answer.headers.get("Allow", "")})
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _as_json(body: str, status: int, headers: dict[str, str]) -> HttpResponse:
    headers = headers | {"Cache-Control": "no-store"}
    return HttpResponse(body, status=status, headers=headers, content_type="application/json; charset=utf-8")


def _address(request: HttpRequest) -> str:
    return str(get_adapter().get_client_ip(request))
