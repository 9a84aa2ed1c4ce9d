"""What went wrong, always in one shape: `{"error": {"code", "message", "field", "help"}}`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse

from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound, Problem
from trunkline.usecases.api_requests import KeyReused, UnderWay

log = structlog.get_logger()

CODES = {
    "bad_request": (400, "The request can't be read: its body is no JSON, or too long."),
    "unauthorized": (401, "No token, an unknown one, or one that has run out or was revoked."),
    "not_enough_credit": (402, "The purse that pays has too little: top up, or allocate more. Nothing was changed."),
    "forbidden": (403, "The token's role may not do this. An administrator can make a token with another role."),
    "not_found": (404, "There is no such thing, or it belongs to somebody else."),
    "method_not_allowed": (405, "This path has other methods; the header Allow names them."),
    "conflict": (409, "It contradicts what is there. Nothing was changed; the message says what to do first."),
    "idempotency_key_reused": (409, "The Idempotency-Key was used for another request."),
    "under_way": (409, "The same request is being done now: send it again in a second to hear how it ended."),
    "invalid": (422, "A value can't be; `field` says which."),
    "too_many_requests": (429, "Too many requests from this token: wait as the header Retry-After says."),
    "internal": (500, "A fault on our side. It is logged; try again with the same Idempotency-Key."),
}
_BY_TYPE: tuple[tuple[type[Problem], str], ...] = (
    (KeyReused, "idempotency_key_reused"),
    (UnderWay, "under_way"),
    (NotFound, "not_found"),
    (Invalid, "invalid"),
    (NotEnoughCredit, "not_enough_credit"),
    (Conflict, "conflict"),
    (Problem, "conflict"),
)


class Forbidden(Exception):  # noqa: N818 - an answer, not an error
    """A token of a lesser role."""


def failure(code: str, message: str = "", *, field: str = "", headers: dict[str, str] | None = None) -> JsonResponse:
    status, usual = CODES[code]
    about = {"code": code, "message": message or usual, "field": field, "help": f"{settings.INSTANCE.web_url}/api/v1/docs#{code}"}
    return JsonResponse({"error": about}, status=status, headers=headers)


def of_problem(problem: Problem) -> JsonResponse:
    """Any error of a use case, by its type."""
    code = next(code for kind, code in _BY_TYPE if isinstance(problem, kind))
    headers = {"Retry-After": "1"} if code == "under_way" else None
    return failure(code, str(problem), field=problem.field if isinstance(problem, Invalid) else "", headers=headers)


def of_values(errors: list[dict[str, Any]]) -> JsonResponse:
    """Values that the description of the operation does not allow: the first of them."""
    first = errors[0]
    path = [str(step) for step in first.get("loc", ())]
    where = path[2:] if path[:1] == ["body"] and len(path) > 2 else path[1:]
    message = str(first.get("msg", "")) or HTTPStatus.UNPROCESSABLE_ENTITY.phrase
    return failure("invalid", f"{'.'.join(where) or 'The request'}: {message}", field=".".join(where))


def of_fault(request: HttpRequest, fault: Exception) -> JsonResponse:
    log.error("a request of the API failed", path=request.path, method=request.method, exc_info=fault)
    return failure("internal")
