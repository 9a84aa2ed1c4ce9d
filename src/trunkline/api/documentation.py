"""The description of the API, for machines and for people: made from the same types that requests are read by."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trunkline.api.failures import CODES
from trunkline.api.service import api
from trunkline.usecases.webhook_endpoints import KINDS
from trunkline.web.access import Audience, open_to

PREFIX = "/api/v1"


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    return dict(api.get_openapi_schema(path_prefix=PREFIX))


@open_to(Audience.ANYONE)
@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse(schema())


@open_to(Audience.ANYONE)
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """A page of ours: no script, nothing from elsewhere."""
    errors = [(code, status, text) for code, (status, text) in CODES.items()]
    return render(request, "api/docs.html", {"areas": _areas(), "errors": errors, "events": KINDS})


@open_to(Audience.ANYONE)
@require_safe
def operation(request: HttpRequest, operation_id: str) -> HttpResponse:
    """One of them: what it takes, what it gives."""
    shown = next((each for _, known in _areas() for each in known if each["id"] == operation_id), None)
    if shown is None:
        raise Http404
    return render(request, "api/operation.html", {"one": shown})


@lru_cache(maxsize=1)
def _areas() -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    rights = {operation.view_func.__name__: operation.auth_callbacks[0].audience.text for operation in operations()}
    for path, methods in schema()["paths"].items():
        for method, about in methods.items():
            shown = {
                "id": about["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": about.get("summary", ""),
                "text": about.get("description", ""),
                "right": rights[about["operationId"]],
                "parameters": [_parameter(each) for each in about.get("parameters", [])],
                "body": _fields(_body(about)),
                "answer": _fields(_answer(about)),
            }
            found.setdefault(about["tags"][0], []).append(shown)
    return list(found.items())


def operations() -> list[Any]:
    """Of all areas."""
    return [operation for _, router in api._routers for view in router.path_operations.values() for operation in view.operations]  # noqa: SLF001 - ninja has no other way


def _parameter(about: dict[str, Any]) -> tuple[str, str, str]:
    return about["name"], _type(about["schema"]), about.get("description", "") or about["schema"].get("description", "")


def _body(about: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = about.get("requestBody", {}).get("content", {}).get("application/json", {})
    return dict(content.get("schema", {}))


def _answer(about: dict[str, Any]) -> dict[str, Any]:
    good = next(answer for status, answer in about["responses"].items() if int(status) < 300)
    return dict(good["content"]["application/json"]["schema"])


def _fields(of: dict[str, Any]) -> list[tuple[str, str, str]]:
    model = _model(of)
    wanted = model.get("required", [])
    return [
        (name, _type(about) + ("" if name in wanted else ", optional"), about.get("description", ""))
        for name, about in model.get("properties", {}).items()
    ]


def _model(of: dict[str, Any]) -> dict[str, Any]:
    name = of.get("$ref", "").rpartition("/")[2]
    return dict(schema()["components"]["schemas"][name]) if name else of


def _type(about: dict[str, Any]) -> str:
    """In a word or two."""
    if "$ref" in about:
        return _inside(_model(about), about["$ref"].rpartition("/")[2])
    if "anyOf" in about:
        return " or ".join(_type(each) for each in about["anyOf"])
    if "enum" in about:
        return " | ".join(repr(each).replace("'", '"') for each in about["enum"])
    if about.get("type") == "array":
        return f"list of {_type(about['items'])}"
    bounds = [f"{word} {about[name]}" for name, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most")) if name in about]
    return " ".join([str(about.get("type", "any")), *bounds])


def _inside(model: dict[str, Any], name: str) -> str:
    inner = ", ".join(model.get("properties", {}))
    return f"{name.removesuffix('Out').removesuffix('In')} {{{inner}}}"
