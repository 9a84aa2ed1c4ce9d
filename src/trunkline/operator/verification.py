"""The queue of companies and landlines that wait for the operator's word (SPEC R1.4, R8.1, R12)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trunkline.operator.pages import operator_page
from trunkline.store.models import CompanyDetails, CompanyDocument, Landline, Manager
from trunkline.usecases import landlines, verification
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm
from trunkline.web.templatetags.components import phone

NEWEST = 20


class ReasonForm(PageForm):
    reason = forms.CharField(max_length=400, help_text="The company reads it, and it stays in the log.")


class LandlineForm(PageForm):
    """One field for both buttons: what proved it, or why it is refused."""

    finding = forms.CharField(label="What proves it, or why not", max_length=200, help_text="A reason for refusing is told to the company.")
    field_of = {"reason": "finding", "note": "finding"}  # noqa: RUF012 - as in the base


@open_to(Audience.STAFF)
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Oldest first; then what was decided last."""
    waiting = CompanyDetails.objects.filter(manager__verification=Manager.Verification.IN_REVIEW).select_related("manager")
    decided = CompanyDetails.objects.exclude(decided_at=None).select_related("manager").order_by("-decided_at")
    numbers = Landline.objects.filter(proof=Landline.Proof.WAITING).select_related("manager").order_by("created_at", "pk")
    page = {"waiting": waiting.order_by("submitted_at"), "landlines": numbers, "decided": decided[:NEWEST]}
    return operator_page(request, "operator/verification/queue.html", page)


@open_to(Audience.STAFF, changes=Audience.OPERATOR)
def company(request: HttpRequest, manager_id: int) -> HttpResponse:
    """What it says and shows; sending the form rejects it."""
    found = get_object_or_404(Manager.objects.select_related("details"), pk=manager_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.act(verification.reject_company, **acting(request), manager_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"{found.company_name} is rejected, and told why.")
            return redirect("operator_verification")
    page = {
        "found": found,
        "details": getattr(found, "details", None),
        "documents": CompanyDocument.objects.filter(manager=found).order_by("pk"),
        "form": form,
    }
    return operator_page(request, "operator/verification/company.html", page)


@open_to(Audience.OPERATOR)
@require_POST
def verify(request: HttpRequest, manager_id: int) -> HttpResponse:
    found = get_object_or_404(Manager, pk=manager_id)
    verification.verify_company(**acting(request), manager_id=found.pk)
    messages.success(request, f"{found.company_name} is verified, and told so.")
    return redirect("operator_verification")


@open_to(Audience.STAFF)
@require_safe
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """A stranger's file: saved, never shown as a page of ours."""
    found, content = verification.open_document(**acting(request), document_id=document_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return HttpResponse(content, content_type=found.content_type, headers=headers)


@open_to(Audience.STAFF, changes=Audience.OPERATOR)
def landline(request: HttpRequest, landline_id: int) -> HttpResponse:
    """Proven, or, with the other button, refused."""
    found = get_object_or_404(Landline.objects.select_related("manager", "wanted_by"), pk=landline_id)
    form = LandlineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        finding = form.cleaned_data["finding"]
        if "refuse" in request.POST:
            form.act(landlines.refuse_landline, **acting(request), landline_id=found.pk, reason=finding)
        else:
            form.act(landlines.prove_landline, **acting(request), landline_id=found.pk, note=finding)
        if not form.errors:
            messages.success(request, f"{phone(found.e164)} is {'refused' if 'refuse' in request.POST else 'proven'}; the company is told.")
            return redirect("operator_verification")
    documents = CompanyDocument.objects.filter(manager=found.manager).order_by("pk")
    return operator_page(request, "operator/verification/landline.html", {"found": found, "form": form, "documents": documents})


urlpatterns = [
    path("verification", queue, name="operator_verification"),
    path("verification/companies/<int:manager_id>", company, name="operator_verification_company"),
    path("verification/companies/<int:manager_id>/verify", verify, name="operator_verification_verify"),
    path("verification/documents/<int:document_id>", document, name="operator_verification_document"),
    path("verification/landlines/<int:landline_id>", landline, name="operator_verification_landline"),
]
