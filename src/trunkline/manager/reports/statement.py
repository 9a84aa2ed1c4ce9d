"""The statement of a purse by month: each movement with the balance after it, and the chained file to download (SPEC R9.3)."""

from __future__ import annotations

from django.core import signing
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Invalid
from trunkline.domain.statements import Head
from trunkline.manager.reports.files import MOST_ROWS, as_file
from trunkline.manager.reports.privacy import notice_first
from trunkline.manager.reports.statement_sheet import amount_cell, columns_of, rows_of, sheet_of
from trunkline.manager.reports.subject import Period, Subject, link, period_of, report, subject_of
from trunkline.manager.reports.table import table_rows
from trunkline.store.models import Profile, Term
from trunkline.store.statements import Purse, purse_of_manager
from trunkline.usecases import call_records, statements
from trunkline.usecases.statement_pages import Place, statement_page, whole_statement
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest

MOST_TERMS = 60
PROOFS = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}
FORMATS = ("csv", "xlsx", "pdf", "json")


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
    if request.GET.get("as", ""):
        return _file(request, purse, (chosen, choices[chosen]), period)
    salt = f"statement {purse.account.pk} {period.value}"
    found = statement_page(**acting(request), purse=purse, month=period.month.first, after=_place(request, salt))
    currency = purse.account.currency
    columns = columns_of(currency)
    page = {
        "purses": list(choices.items()),
        "purse": chosen,
        "columns": columns,
        "rows": table_rows(columns, rows_of(found.opening, found.rows, purse)),
        "opening": amount_cell(found.opening.balance, currency).text,
        "closing": amount_cell(found.closing.balance, currency).text,
        "found": found,
        "is_first": not request.GET.get("after"),
        "first_page": link(request),
        "further": f"{link(request)}&after={_sealed(found.next, salt)}" if found.next else "",
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in FORMATS],
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
        return purse_of_manager(request.company)
    return statements.purse_of(profile_id=int(ident)) if kind == "profile" else statements.purse_of(term_id=int(ident))


def _file(request: CompanyRequest, purse: Purse, chosen: tuple[str, str], period: Period) -> HttpResponseBase:
    """All pages of what is shown. `chosen`: the purse's name in the URL, and for people."""
    file_format = request.GET["as"]
    if file_format not in FORMATS:
        raise Invalid("as", f"{file_format[:20]!r} is no kind of file: use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    company, month = request.company, period.month.first
    name = f"{slugify(f'{company.company_name} statement {chosen[0]}')}-{period.value}"
    if file_format in PROOFS:
        response = _proof(statements.statement(**acting(request), purse=purse, month=month), name, file_format)
    else:
        found = whole_statement(**acting(request), purse=purse, month=month, most=MOST_ROWS[file_format])
        whose = ("Company", company.company_name), ("Purse", chosen[1]), ("Month", f"{period.text}, times of {company.time_zone}")
        response = as_file(sheet_of(name, whose, found), file_format)
    call_records.note_export(**acting(request), manager_id=company.pk, report=name, file_format=file_format)
    return response


def _proof(found: statements.Statement, name: str, file_format: str) -> HttpResponseBase:
    """As `./trunkline statement verify` reads it."""
    response = StreamingHttpResponse(statements.export(found, file_format), content_type=PROOFS[file_format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    response.headers["Cache-Control"] = "no-store"
    return response


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
