"""The API as one thing: its areas, its errors, its description."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from trunkline.api import (
    accounts,
    barring,
    caller_ids,
    calls,
    company,
    credit,
    numbers,
    payment_methods,
    people,
    profiles,
    purchases,
    schematic,
    statements,
    subscriptions,
    webhooks,
)
from trunkline.api.failures import Forbidden, failure, of_fault, of_problem, of_values
from trunkline.domain.errors import Problem

AREAS = (
    company,
    schematic,
    profiles,
    subscriptions,
    purchases,
    credit,
    payment_methods,
    numbers,
    accounts,
    caller_ids,
    barring,
    calls,
    statements,
    people,
    webhooks,
)
DESCRIPTION = (
    "Everything that a company's people can do in the Manager. Amounts are decimal texts beside a currency, moments ISO 8601 in UTC. "
    "Every request needs `Authorization: Bearer <token>`; an administrator makes tokens in the Manager under People, API tokens."
)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[\\x21-\\x7e]{1,128}$"},
    "description": "The same key with the same request does it once, and answers the same, for 24 hours.",
}


class Service(NinjaAPI):
    """Each operation is named as its function."""

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        for methods in schema["paths"].values():
            if "post" in methods:
                methods["post"].setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        return schema


api = Service(title="Trunkline", version="1", description=DESCRIPTION, docs_url=None, openapi_url=None, urls_namespace="api")
for _area in AREAS:
    api.add_router("", _area.router)


def _on(kind: type[Exception], answer: Any) -> None:
    api.add_exception_handler(kind, answer)


def _unread(request: HttpRequest, problem: HttpError | Exception) -> HttpResponse:
    return failure("bad_request")


_on(Problem, lambda request, problem: of_problem(problem))
_on(ValidationError, lambda request, problem: of_values(problem.errors))
_on(AuthenticationError, lambda request, problem: failure("unauthorized"))
_on(Forbidden, lambda request, problem: failure("forbidden", str(problem)))
_on(Http404, lambda request, problem: failure("not_found"))
_on(HttpError, _unread)
_on(RequestDataTooBig, _unread)
_on(Exception, of_fault)
