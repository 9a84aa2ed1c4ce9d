"""Sheets of prices are imported in two steps: a preview, then exactly what it showed (SPEC R6.2).

To compare 20,000 lines takes a quarter of a second: that is done when the sheet is sent, kept with it, and done again when it is imported.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path

from trunkline.domain.sheets import SheetProblem
from trunkline.operator.pages import Sheet, forget_sheet, keep_sheet, kept_sheet, operator_page, problem_lines, seen
from trunkline.store.models import PriceList
from trunkline.usecases.prices import Example, Imported, import_price_list
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm

KINDS = (
    ("new", "New"),
    ("increased", "Dearer"),
    ("decreased", "Cheaper"),
    ("changed", "Renamed or other increments"),
    ("removed", "Removed"),
)


class SheetForm(PageForm):
    unshown = (SheetProblem,)
    sheet = forms.FileField(
        label="CSV sheet", help_text="Prefix, destination, rate per minute; and if wanted fee, increments, dates, currency."
    )
    effective = forms.DateTimeField(
        label="In force from (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: at once. A line with a later date of its own begins then.",
    )
    keep_missing = forms.BooleanField(label="Prefixes that the sheet does not have keep their price", required=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sheet would do to version `version` of its list. `difference`: a short name of all of it. Goes through JSON."""

    version: int
    difference: str
    prefixes: int
    begin_later: int
    unchanged: int
    counts: dict[str, int]
    examples: list[dict[str, Any]]

    @classmethod
    def of(cls, done: Imported) -> Preview:
        found = done.difference
        counts = {name: len(getattr(found, name)) for name, _ in KINDS}
        return cls(done.version, seen(found), done.prefixes, done.begin_later, found.unchanged, counts, [*map(asdict, done.examples)])

    def kinds(self) -> list[tuple[str, int, list[Example]]]:
        """What happens, to how many, and a few of them."""
        examples = [Example(**each) for each in self.examples]
        return [(text, self.counts[name], [each for each in examples if each.what == name]) for name, text in KINDS]


@open_to(Audience.OPERATOR)
def upload(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """The first step. A sheet with an error goes no further: each is named by its line."""
    found = get_object_or_404(PriceList, pk=price_list_id)
    form = SheetForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        file, choices = form.cleaned_data["sheet"], _choices(form)
        data = file.read()
        try:
            done = form.act(import_price_list, **acting(request), price_list_id=found.pk, data=data, dry_run=True, **_how(choices))
        except SheetProblem as problem:
            problems = problem_lines(problem)
        else:
            if done is not None:
                keep_sheet(request, _subject(found), file.name, data, **choices, preview=asdict(Preview.of(done)))
                return redirect("operator_price_import", found.pk)
    return operator_page(request, "operator/prices/upload.html", {"found": found, "form": form, "problems": problems})


@open_to(Audience.OPERATOR)
def preview(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """The second step: what would change, then it is done. If the list has changed since, it is shown anew."""
    found = get_object_or_404(PriceList, pk=price_list_id)
    sheet = kept_sheet(request, _subject(found))
    shown = Preview(**sheet.choices["preview"])
    if request.method == "POST" or shown.version != found.version:
        shown = Preview.of(_import(request, found, sheet, dry_run=True))
    mark = seen(shown.version, shown.difference, sheet.document)
    if request.method == "POST" and request.POST.get("seen") == mark:
        done = _import(request, found, sheet, dry_run=False)
        forget_sheet(request, _subject(found))
        messages.success(request, f"{done.price_list} has version {done.version} now: {done.prefixes} prefixes.")
        return redirect("operator_price_list", found.pk)
    effective = _how(sheet.choices)["effective_at"]
    page = {"found": found, "sheet": sheet, "shown": shown, "mark": mark, "stale": request.method == "POST", "effective_at": effective}
    return operator_page(request, "operator/prices/preview.html", page)


def _subject(found: PriceList) -> str:
    return f"prices/{found.pk}"


def _choices(form: SheetForm) -> dict[str, Any]:
    """As a session can keep them."""
    effective = form.cleaned_data["effective"]
    return {"effective": effective.replace(tzinfo=UTC).isoformat() if effective else "", "keep_missing": form.cleaned_data["keep_missing"]}


def _how(choices: dict[str, Any]) -> dict[str, Any]:
    effective = choices["effective"]
    return {"effective_at": datetime.fromisoformat(effective) if effective else None, "keep_missing": choices["keep_missing"]}


def _import(request: HttpRequest, found: PriceList, sheet: Sheet, *, dry_run: bool) -> Imported:
    return import_price_list(**acting(request), price_list_id=found.pk, data=sheet.data(), dry_run=dry_run, **_how(sheet.choices))


urlpatterns = [
    path("prices/<int:price_list_id>/upload", upload, name="operator_price_upload"),
    path("prices/<int:price_list_id>/import", preview, name="operator_price_import"),
]
