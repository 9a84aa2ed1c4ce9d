"""Company verification (SPEC R1.4): the company says who it is and shows documents, the operator decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from trunkline.domain import documents as rules
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_name
from trunkline.store import documents, ledger
from trunkline.store.models import CompanyDetails, CompanyDocument, Landline, Manager
from trunkline.store.work import By, Work, work
from trunkline.usecases.landlines import stop_showing_everywhere
from trunkline.usecases.mail import put_in_outbox

State = Manager.Verification
OPEN = (State.NOT_STARTED, State.REJECTED)
LONGEST = {"legal_name": 160, "registration_number": 60, "address": 400, "contact_name": 120, "contact_phone": 32}


@dataclass(frozen=True, slots=True)
class Details:
    """`registration_number`: in the register of companies, or for taxes."""

    legal_name: str
    registration_number: str
    address: str
    contact_name: str
    contact_phone: str


def submit(*, now: datetime, by: By, manager_id: int, details: Details) -> None:
    """Into the operator's queue; raises `Conflict` without a document, or when it is there or decided already."""
    checked = {name: check_name(value, name, longest=LONGEST[name]) for name, value in asdict(details).items()}
    with work(now=now, by=by) as doing:
        manager = _lock_open(doing, manager_id)
        if not CompanyDocument.objects.filter(manager=manager).exists():
            raise Conflict("Upload at least one document that shows the company's name and address first.")
        submitted = {"submitted_at": doing.now, "submitted_by": by.actor[:80], "decided_at": None, "decided_by": ""}
        CompanyDetails.objects.update_or_create(manager=manager, defaults=checked | submitted)
        _set_state(doing, manager, State.IN_REVIEW)


def add_document(*, now: datetime, by: By, manager_id: int, name: str, data: bytes) -> int:
    """A PDF, PNG or JPEG. Returns its id."""
    content_type = rules.content_type_of(data)
    stored_as = documents.keep(data)
    try:
        with work(now=now, by=by) as doing:
            manager = _lock_open(doing, manager_id)
            _check_room(manager)
            document = CompanyDocument(manager=manager, name=rules.safe_name(name, content_type), content_type=content_type)
            document.size_bytes, document.stored_as = len(data), stored_as
            document.uploaded_at, document.uploaded_by = doing.now, by.actor[:80]
            document.save()
            doing.audit("verification.upload", document.name[:80], manager_id=manager_id, after={"size_bytes": len(data)})
    except BaseException:
        documents.remove(stored_as)
        raise
    return document.pk


def remove_document(*, now: datetime, by: By, manager_id: int, document_id: int) -> None:
    with work(now=now, by=by) as doing:
        _lock_open(doing, manager_id)
        document = _document(document_id, manager_id)
        document.delete()
        doing.audit("verification.remove_document", document.name[:80], manager_id=manager_id)
    documents.remove(document.stored_as)


def open_document(*, now: datetime, by: By, document_id: int) -> tuple[CompanyDocument, bytes]:
    """For the operator's people; that somebody looked is in the log."""
    with work(now=now, by=by) as doing:
        document = _document(document_id)
        doing.audit("verification.look", document.name[:80], manager_id=document.manager_id)
    try:
        return document, documents.read(document.stored_as)
    except FileNotFoundError:
        raise NotFound(f"The content of {document.name} is not here: restore the documents of this instance from its backup.") from None


def verify_company(*, now: datetime, by: By, manager_id: int) -> None:
    """By the operator: the company may show landlines, and has the limits of the verified."""
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, manager_id)
        if manager.verification != State.IN_REVIEW:
            raise Conflict(f"{manager.company_name} is not in review.")
        _set_state(doing, manager, State.VERIFIED)
        _decided(doing, manager)


def reject_company(*, now: datetime, by: By, manager_id: int, reason: str) -> None:
    """By the operator; also what was verified before. Landlines are not shown any more. The company may put it right and submit again."""
    reason = check_name(reason, "reason", longest=400)
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, manager_id)
        if manager.verification in OPEN:
            raise Conflict(f"{manager.company_name} is not in review.")
        landlines = list(Landline.objects.filter(manager=manager).values_list("e164", flat=True))
        stop_showing_everywhere(doing, manager_id, landlines, reason="company not verified any more")
        _set_state(doing, manager, State.REJECTED, reason)
        _decided(doing, manager, reason=reason)


def _lock_open(doing: Work, manager_id: int) -> Manager:
    manager = doing.locks.one(Manager, manager_id)
    if manager.verification not in OPEN:
        state = manager.get_verification_display().lower()
        raise Conflict(f"Your company is {state}: nothing can be changed now.")
    return manager


def _check_room(manager: Manager) -> None:
    if CompanyDocument.objects.filter(manager=manager).count() >= rules.MOST_DOCUMENTS:
        raise Invalid("file", f"At most {rules.MOST_DOCUMENTS} documents: remove one first.")


def _set_state(doing: Work, manager: Manager, state: str, reason: str = "") -> None:
    before = {"verification": manager.verification}
    manager.verification, manager.verification_reason = state, reason
    manager.save(update_fields=["verification", "verification_reason"])
    after = {"verification": state} | ({"reason": reason} if reason else {})
    doing.audit("verification.state", f"manager {manager.pk}", manager_id=manager.pk, before=before, after=after)


def _decided(doing: Work, manager: Manager, *, reason: str = "") -> None:
    CompanyDetails.objects.filter(manager=manager).update(decided_at=doing.now, decided_by=doing.by.actor[:80])
    template = "verification_rejected" if reason else "verification_done"
    key = f"{template}/{manager.pk}/{ledger.microseconds(doing.now)}"
    put_in_outbox(doing, key=key, manager=manager, template=template, context={"reason": reason})


def _document(document_id: int, manager_id: int | None = None) -> CompanyDocument:
    known = CompanyDocument.objects.filter(pk=document_id)
    found = (known if manager_id is None else known.filter(manager_id=manager_id)).first()
    if found is None:
        raise NotFound("There is no such document any more.")
    return found
