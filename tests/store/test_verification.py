"""Company verification: details, documents, the operator's decision (SPEC R1.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, Company, make_company
from tests.store.test_caller_id import PDF, WHO
from trunkline.domain.documents import MOST_BYTES, MOST_DOCUMENTS
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.store.models import AuditEntry, CompanyDetails, CompanyDocument, Mail, Manager
from trunkline.usecases import verification


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def company(store: Store, home: Path) -> Company:
    made = make_company()
    Manager.objects.update(email="office@example.com")
    return made


def upload(company: Company, name: str = "register.pdf", data: bytes = PDF) -> int:
    return verification.add_document(now=NOW, by=BY, manager_id=company.manager_id, name=name, data=data)


def submit(company: Company) -> None:
    verification.submit(now=NOW, by=BY, manager_id=company.manager_id, details=WHO)


def state(company: Company) -> str:
    return company.manager.verification


def test_submitted_verified_told(company: Company) -> None:
    with pytest.raises(Conflict, match="Upload at least one document"):
        submit(company)
    upload(company)
    submit(company)
    assert (state(company), CompanyDetails.objects.get().legal_name) == ("in_review", "Architects Ltd.")
    for change in (lambda: upload(company), lambda: submit(company)):
        with pytest.raises(Conflict, match="in review: nothing can be changed"):
            change()
    verification.verify_company(now=NOW, by=BY, manager_id=company.manager_id)
    assert state(company) == "verified"
    assert Mail.objects.get().subject == "Your company is verified"
    with pytest.raises(Conflict, match="not in review"):
        verification.verify_company(now=NOW, by=BY, manager_id=company.manager_id)


def test_rejected_with_a_reason_and_submitted_again(company: Company) -> None:
    ident = upload(company)
    submit(company)
    with pytest.raises(Invalid, match="reason"):
        verification.reject_company(now=NOW, by=BY, manager_id=company.manager_id, reason=" ")
    verification.reject_company(now=NOW, by=BY, manager_id=company.manager_id, reason="The document is not legible")
    assert "The document is not legible" in Mail.objects.get().text
    verification.remove_document(now=NOW, by=BY, manager_id=company.manager_id, document_id=ident)
    upload(company, "again.png", b"\x89PNG\r\n\x1a\n...")
    submit(company)
    assert (state(company), company.manager.verification_reason) == ("in_review", "")


def test_documents_are_sealed_and_leave_with_their_row(company: Company, home: Path) -> None:
    ident = upload(company, "../../<b>reg</b>.exe")
    document = CompanyDocument.objects.get()
    file = home / "documents" / document.stored_as
    assert document.name == "b-reg--b.pdf" or "/" not in document.name
    assert (file.stat().st_mode & 0o777, PDF in file.read_bytes()) == (0o600, False)
    assert verification.open_document(now=NOW, by=BY, document_id=ident)[1] == PDF
    assert AuditEntry.objects.filter(action="verification.look").count() == 1
    with pytest.raises(NotFound):
        verification.remove_document(now=NOW, by=BY, manager_id=make_company(company_name="Builders").manager_id, document_id=ident)
    verification.remove_document(now=NOW, by=BY, manager_id=company.manager_id, document_id=ident)
    assert not file.exists()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"MZ\x90 a program", "neither PDF, PNG nor JPEG"),
        (b"<html>%PDF-", "neither"),
        (b"%PDF-" + bytes(MOST_BYTES), "too large"),
    ],
)
def test_what_is_no_document(company: Company, home: Path, data: bytes, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        upload(company, "register.pdf", data)
    assert not (home / "documents").exists()


def test_not_more_than_so_many(company: Company, home: Path) -> None:
    for _ in range(MOST_DOCUMENTS):
        upload(company)
    with pytest.raises(Invalid, match="At most"):
        upload(company)
    assert len(list((home / "documents").iterdir())) == MOST_DOCUMENTS
