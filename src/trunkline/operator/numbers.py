"""The number stock: found, imported with a preview, given to a SIP Profile or taken back (SPEC R7.1)."""

from __future__ import annotations

from collections import Counter

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.domain.number_sheet import StockNumber, read_numbers
from trunkline.domain.sheets import SheetProblem
from trunkline.operator.pages import forget_sheet, keep_sheet, kept_sheet, operator_page, problem_lines, seen
from trunkline.store.models import Number, Profile
from trunkline.usecases import numbers
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm
from trunkline.web.listing import newest_first
from trunkline.web.templatetags.components import phone

SUBJECT = "numbers"
PLACES = {
    "free": Q(manager=None),
    "company": Q(manager__isnull=False, profile=None, account=None),
    "used": Q(profile__isnull=False) | Q(account__isnull=False),
}


class SheetForm(PageForm):
    sheet = forms.FileField(label="CSV sheet", help_text="Number; and if wanted country, area, monthly price, terms, residency.")


class AssignForm(PageForm):
    field_of = {"profile_id": "sip_user"}  # noqa: RUF012 - as in PageForm
    sip_user = forms.CharField(max_length=14, label="SIP user of the profile")
    allow_foreign = forms.BooleanField(required=False, label="Also when the company is in another country")


@open_to(Audience.STAFF)
@require_safe
def stock(request: HttpRequest) -> HttpResponse:
    """`q`: digits of the number, its area or its company; `place`: where it is."""
    wanted, place = request.GET.get("q", "").strip()[:80], request.GET.get("place", "")
    known = Number.objects.select_related("manager", "profile", "account")
    if wanted:
        digits = "".join(filter(str.isdecimal, wanted))
        by_name = Q(area__icontains=wanted) | Q(manager__company_name__icontains=wanted)
        known = known.filter(by_name | Q(e164__contains=digits) if digits else by_name)
    if place in PLACES:
        known = known.filter(PLACES[place])
    page = {"listed": newest_first(request, known), "wanted": wanted, "place": place}
    return operator_page(request, "operator/numbers/stock.html", page)


@open_to(Audience.OPERATOR)
def upload(request: HttpRequest) -> HttpResponse:
    form = SheetForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["sheet"]
        data = file.read()
        try:
            read_numbers(data)
        except SheetProblem as problem:
            problems = problem_lines(problem)
        else:
            keep_sheet(request, SUBJECT, file.name, data)
            return redirect("operator_number_import")
    return operator_page(request, "operator/numbers/upload.html", {"form": form, "problems": problems})


@open_to(Audience.OPERATOR)
def preview(request: HttpRequest) -> HttpResponse:
    """What would come into the stock, by country; then it does. Numbers that are known stop all of it."""
    sheet = kept_sheet(request, SUBJECT)
    found = read_numbers(sheet.data())
    form = PageForm(request.POST if request.method == "POST" else None)
    mark = seen(sheet.document, found)
    if request.method == "POST" and request.POST.get("seen") == mark and form.is_valid():
        count = form.act(numbers.add_numbers, **acting(request), stock=found)
        if count is not None:
            forget_sheet(request, SUBJECT)
            messages.success(request, "1 number is in the stock." if count == 1 else f"{count:,} numbers are in the stock.")
            return redirect("operator_numbers")
    page = {"sheet": sheet, "form": form, "mark": mark, "count": len(found), "countries": _by_country(found), "first": found[:8]}
    return operator_page(request, "operator/numbers/preview.html", page)


@open_to(Audience.OPERATOR)
def assign(request: HttpRequest, number_id: int) -> HttpResponse:
    """Calls to it reach that profile's PBX, free of charge for the company: the operator gives it."""
    number = get_object_or_404(Number.objects.select_related("manager", "profile"), pk=number_id)
    form = AssignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        profile = Profile.objects.filter(sip_user=form.cleaned_data["sip_user"]).first()
        if profile is None:
            form.add_error("sip_user", "There is no SIP Profile with this user.")
        else:
            allowed = form.cleaned_data["allow_foreign"]
            form.act(numbers.assign_number, **acting(request), e164=number.e164, profile_id=profile.pk, allow_foreign=allowed)
        if not form.errors and profile is not None:
            messages.success(request, f"{phone(number.e164)} is on {profile.name}.")
            return redirect("operator_numbers")
    return operator_page(request, "operator/numbers/assign.html", {"number": number, "form": form})


@open_to(Audience.OPERATOR)
def release(request: HttpRequest, number_id: int) -> HttpResponse:
    """Back to the operator's stock: asked first."""
    number = get_object_or_404(Number.objects.select_related("manager", "profile", "account"), pk=number_id)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.is_valid()
        form.act(numbers.release_number, **acting(request), e164=number.e164, to_operator=True)
        if not form.errors:
            messages.success(request, f"{phone(number.e164)} is back in the stock.")
            return redirect("operator_numbers")
    return operator_page(request, "operator/numbers/release.html", {"number": number, "form": form})


def _by_country(found: list[StockNumber]) -> list[tuple[str, int]]:
    return sorted(Counter(number.country for number in found).items())


urlpatterns = [
    path("numbers", stock, name="operator_numbers"),
    path("numbers/upload", upload, name="operator_number_upload"),
    path("numbers/import", preview, name="operator_number_import"),
    path("numbers/<int:number_id>/assign", assign, name="operator_number_assign"),
    path("numbers/<int:number_id>/release", release, name="operator_number_release"),
]
