"""The statement of a purse by month: each movement with the balance after it, and the chained file to download (SPEC R9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.core import signing
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Invalid
from trunkline.domain.statements import SECONDS, Head
from trunkline.manager.reports.privacy import notice_first
from trunkline.manager.reports.sheet import Cell, Column, Row, in_columns, moment_cell, money_cell, seconds_cell
from trunkline.manager.reports.subject import Period, Subject, link, period_of, report, subject_of
from trunkline.store.models import Profile, Term
from trunkline.store.statements import Purse
from trunkline.usecases import call_records, statements
from trunkline.usecases.statement_pages import Place, StatementPage, statement_page
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest

MOST_TERMS = 60
COLUMNS = (Column("Time"), Column("What"), Column("Other side"), Column("Amount", is_number=True), Column("Balance", is_number=True))
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}


@open_to(Audience.RECORDS)
@require_safe
def statement(request: CompanyRequest, profile_id: int | None = None, *, archived: bool = False) -> HttpResponseBase:
    subject, period = subject_of(request, profile_id, archived=archived), period_of(request)
    if notice := notice_first(request):
        return notice
    choices = _choices(request, subject)
    chosen = request.GET.get("purse", "") or next(iter(choices))
    if chosen not in choices:
        raise Http404
    purse = _purse(request, chosen)
    if file_format := request.GET.get("as", ""):
        return _file(request, purse, chosen, period, file_format)
    salt = f"statement {purse.account.pk} {period.value}"
    found = statement_page(**acting(request), purse=purse, month=period.month.first, after=_place(request, salt))
    page = {
        "purses": list(choices.items()),
        "purse": chosen,
        "columns": COLUMNS,
        "rows": in_columns(COLUMNS, _rows(found, purse)),
        "opening": _amount(found.opening.balance, purse.account.currency).text,
        "closing": _amount(found.closing.balance, purse.account.currency).text,
        "found": found,
        "is_first": not request.GET.get("after"),
        "first_page": link(request),
        "further": f"{link(request)}&after={_sealed(found.next, salt)}" if found.next else "",
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in KINDS],
    }
    return report(request, subject, period, "statement.html", page)


def _choices(request: CompanyRequest, subject: Subject) -> dict[str, str]:
    """Of the Manager: its Credit and that of its profiles; of a profile: its Credit and its bundles, the newest first."""
    if subject.profile is None:
        profiles = Profile.objects.filter(manager=request.company).order_by("state", "name").values_list("pk", "name", "state")
        named = {f"profile-{pk}": f"Credit of {name}{' (deleted)' if state == 'deleted' else ''}" for pk, name, state in profiles}
        return {"manager": "The Manager's Credit"} | named
    own = {f"profile-{subject.profile.pk}": f"Credit of {subject.profile.name}"}
    terms = Term.objects.filter(profile=subject.profile, minutes__isnull=False).select_related("product").order_by("-starts_at")
    return own | {
        f"term-{term.pk}": f"Minutes: {term.product.name}, from {term.starts_at:%-d %b %Y}" for term in terms[:MOST_TERMS] if term.product
    }


def _purse(request: CompanyRequest, chosen: str) -> Purse:
    kind, _, ident = chosen.partition("-")
    if kind == "manager":
        return statements.purse_of(manager_id=request.company.pk)
    return statements.purse_of(profile_id=int(ident)) if kind == "profile" else statements.purse_of(term_id=int(ident))


def _file(request: CompanyRequest, purse: Purse, chosen: str, period: Period, file_format: str) -> HttpResponseBase:
    """As `./trunkline statement verify` reads it."""
    if file_format not in KINDS:
        raise Invalid("as", f"{file_format[:20]!r} is no kind of file: use csv or json.")
    found = statements.statement(**acting(request), purse=purse, month=period.month.first)
    name = f"{slugify(f'{request.company.company_name} statement {chosen}')}-{period.value}"
    call_records.note_export(**acting(request), manager_id=request.company.pk, report=name, file_format=file_format)
    response = StreamingHttpResponse(statements.export(found, file_format), content_type=KINDS[file_format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _rows(found: StatementPage, purse: Purse) -> Iterator[Row]:
    before = found.opening.balance
    for row in found.rows:
        moved, before = row.head.balance - before, row.head.balance
        _, _, at, what, other_side, _, _, reference, _ = row.cells
        time = moment_cell(datetime.fromisoformat(at).astimezone(purse.zone), _call_of(reference))
        currency = purse.account.currency
        yield time, Cell(what), Cell(other_side), _amount(moved, currency), _amount(before, currency)


def _call_of(reference: str) -> str:
    """`call/<reference>/<increment>` leads to the call."""
    kind, _, rest = reference.partition("/")
    ident = rest.partition("/")[0]
    return reverse("reports_call", args=[int(ident)]) if kind == "call" and ident.isdecimal() else ""


def _amount(amount: int, currency: str) -> Cell:
    return seconds_cell(amount) if currency == SECONDS else money_cell(amount, currency)


def _sealed(place: Place, salt: str) -> str:
    """Signed: the balances of the next page follow from it."""
    return signing.dumps([place.head.number, place.head.balance, place.head.digest, place.last_posting], salt=salt)


def _place(request: CompanyRequest, salt: str) -> Place | None:
    text = request.GET.get("after", "")
    if not text:
        return None
    try:
        number, balance, digest, posting = signing.loads(text, salt=salt)
    except signing.BadSignature as problem:
        raise Http404 from problem
    return Place(Head(number, balance, digest), posting)
