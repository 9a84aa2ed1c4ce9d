"""Routes of the API: its operations behind their door, its description, and an answer in its own shape for any other path."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path

from trunkline.api import documentation
from trunkline.api.door import door
from trunkline.api.failures import failure
from trunkline.api.service import api


@door
def unknown(request: HttpRequest) -> HttpResponse:
    return failure("not_found", "There is no such path: the documentation lists them all.")


def _behind(pattern: URLPattern) -> URLPattern:
    pattern.callback = door(pattern.callback)
    return pattern


urlpatterns = [
    path("openapi.json", documentation.openapi, name="api_openapi"),
    path("docs", documentation.docs, name="api_docs"),
    path("docs/<slug:operation_id>", documentation.operation, name="api_operation"),
    *(_behind(each) for each in api.urls[0] if isinstance(each, URLPattern) and each.name != "api-root"),
    re_path(r"^.*$", unknown, name="api_unknown"),
]
