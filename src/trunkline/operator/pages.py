"""What the console's pages share: the frame, and sheets between their preview and their import."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from trunkline.domain.sheets import SheetProblem
from trunkline.operator.guides import guide_to
from trunkline.store import documents
from trunkline.web.forms import PageForm
from trunkline.web.navigation import OPERATOR, menu

MOST_PROBLEMS = 100


def operator_page(request: HttpRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    """Any page of the console, with its left menu."""
    common = {
        "menu": menu(request, OPERATOR),
        "menu_label": "Operator console",
        "help_topic": guide_to(request.resolver_match.view_name) if request.resolver_match else None,
        "may_change": getattr(request.user, "staff", "") == "operator",
    }
    return render(request, template, common | page)


def form_page(request: HttpRequest, form: PageForm, title: str, verb: str, back: tuple[str, str]) -> HttpResponse:
    """A form on a page of its own. `back`: what it belongs to, and where that is."""
    parent, back_url = back
    return operator_page(
        request, "operator/form.html", {"form": form, "title": title, "verb": verb, "parent": parent, "back_url": back_url}
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """One that was uploaded, kept sealed until it is imported or another takes its place. `choices`: what goes with it."""

    document: str
    file_name: str
    choices: dict[str, Any]

    def data(self) -> bytes:
        return documents.read(self.document)


def keep_sheet(request: HttpRequest, subject: str, file_name: str, data: bytes, **choices: Any) -> None:
    """One for each subject and session. `choices` go through JSON."""
    forget_sheet(request, subject)
    sheet = Sheet(documents.keep(data), file_name[:80], choices)
    request.session[_key(subject)] = asdict(sheet)


def kept_sheet(request: HttpRequest, subject: str) -> Sheet:
    """404: it was imported, or never came."""
    kept = request.session.get(_key(subject))
    if kept is None:
        raise Http404
    return Sheet(**kept)


def forget_sheet(request: HttpRequest, subject: str) -> None:
    kept = request.session.pop(_key(subject), None)
    if kept is not None:
        documents.remove(kept["document"])


def problem_lines(problem: SheetProblem) -> list[str]:
    """What is wrong, line by line, and how much of it is not shown."""
    lines = [str(each) for each in problem.problems[:MOST_PROBLEMS]]
    more = len(problem.problems) - len(lines)
    return [*lines, f"and {more} more lines with errors"] if more else lines


def seen(*what: object) -> str:
    """A short name for what a preview showed: what is applied must have the same one."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:32]


def _key(subject: str) -> str:
    return f"sheet/{subject}"
