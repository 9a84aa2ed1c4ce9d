"""What went wrong, as a page: a `Problem` that no form has shown, and the ends that Django has views for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trunkline.domain.errors import NotFound, Problem


class ProblemPages:
    """Middleware: a use case's `NotFound` is 404; any other `Problem` says what to do, with 409."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotFound):
            return not_found(request, exception)
        if isinstance(exception, Problem):
            return _page(request, 409, "That did not work", str(exception))
        return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = str(exception) if isinstance(exception, NotFound) else "There is no such page, or it belongs to somebody else."
    return _page(request, 404, "Not found", text)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, "Not allowed", f"{exception} Ask an administrator of your company for another role.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400, "That can't be", "The request was not understood. Go back, load the page again, and try once more.")


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, "This form is out of date", "Go back, load the page again, and send the form once more.")


def failed(request: HttpRequest) -> HttpResponse:
    """Nothing here may ask the store: it may be what has failed."""
    return render(request, "web/failed.html", status=500)


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "web/problem.html", {"title": title, "text": text}, status=status)
