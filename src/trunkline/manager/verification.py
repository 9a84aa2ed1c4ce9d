"""The company shows who it is (SPEC R1.4)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_POST

from trunkline.domain.documents import MOST_BYTES, MOST_DOCUMENTS
from trunkline.manager.accounts.lists import people_page
from trunkline.store.models import CompanyDetails, CompanyDocument
from trunkline.usecases import verification as use
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

TONES = {"not_started": "neutral", "in_review": "info", "verified": "good", "rejected": "bad"}
WORDS = {"not_started": "Not started", "in_review": "In review", "verified": "Verified", "rejected": "Rejected"}


class DetailsForm(PageForm):
    legal_name = forms.CharField(label="Registered name", max_length=160)
    registration_number = forms.CharField(label="Registration or tax number", max_length=60)
    address = forms.CharField(label="Registered address", max_length=400, widget=forms.Textarea(attrs={"rows": 3}))
    contact_name = forms.CharField(label="Who may be asked", max_length=120)
    contact_phone = forms.CharField(label="Telephone", max_length=32, widget=forms.TextInput(attrs={"inputmode": "tel"}))


class DocumentForm(PageForm):
    file = forms.FileField(
        label="Document",
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
        help_text=f"PDF, PNG or JPEG, at most {MOST_BYTES // 1024 // 1024} MB; up to {MOST_DOCUMENTS} documents.",
    )


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def verification(request: CompanyRequest) -> HttpResponse:
    """The state, the documents, the form; sending it submits."""
    details = CompanyDetails.objects.filter(manager=request.company).first()
    form = DetailsForm(request.POST or None, initial=vars(details) if details else None)
    if request.method == "POST" and form.is_valid():
        form.act(use.submit, **acting(request), manager_id=request.company.pk, details=use.Details(**form.cleaned_data))
        if not form.errors:
            messages.success(request, "Submitted. A letter tells you when the operator has decided.")
            return redirect("verification")
    return _page(request, form, DocumentForm(), details)


@open_to(Audience.ADMINISTER)
@require_POST
def add_document(request: CompanyRequest) -> HttpResponse:
    form = DocumentForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        data = file.read(MOST_BYTES + 1)
        if form.act(use.add_document, **acting(request), manager_id=request.company.pk, name=file.name or "", data=data):
            messages.success(request, "The document is there.")
            return redirect("verification")
    details = CompanyDetails.objects.filter(manager=request.company).first()
    return _page(request, DetailsForm(initial=vars(details) if details else None), form, details)


@open_to(Audience.ADMINISTER)
@require_POST
def remove_document(request: CompanyRequest, document_id: int) -> HttpResponse:
    found = get_object_or_404(CompanyDocument, manager=request.company, pk=document_id)
    use.remove_document(**acting(request), manager_id=request.company.pk, document_id=found.pk)
    messages.success(request, f"{found.name} is gone.")
    return redirect("verification")


def _page(request: CompanyRequest, form: DetailsForm, document_form: DocumentForm, details: CompanyDetails | None) -> HttpResponse:
    state = request.company.verification
    page = {
        "form": form,
        "document_form": document_form,
        "details": details,
        "documents": list(CompanyDocument.objects.filter(manager=request.company).order_by("pk")),
        "open": state in use.OPEN,
        "state": (WORDS[state], TONES[state]),
    }
    return people_page(request, "manager/verification/verification.html", page)


urlpatterns = [
    path("verification", verification, name="verification"),
    path("verification/documents", add_document, name="verification_document"),
    path("verification/documents/<int:document_id>/remove", remove_document, name="verification_document_remove"),
]
