"""Deleted SIP Profiles: their reports stay for the operator's retention time (SPEC R2.7, R9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.manager.reports.files import FORMATS, as_file
from trunkline.manager.reports.sheet import Cell, Column, Row, Sheet, day_cell
from trunkline.manager.reports.subject import deleted_profiles, link, period_of, report, subject_of
from trunkline.manager.reports.table import table_rows
from trunkline.store.models import AuditEntry
from trunkline.web.access import Audience, open_to
from trunkline.web.company import CompanyRequest

MOST_SHOWN = 500
COLUMNS = (
    Column("Profile", width=36),
    Column("SIP user", width=20),
    Column("Created", width=18, is_whole=True),
    Column("Deleted", width=18, is_whole=True),
)


@open_to(Audience.REPORTS)
@require_safe
def archive(request: CompanyRequest) -> HttpResponseBase:
    subject, period = subject_of(request, None), period_of(request)
    if file_format := request.GET.get("as", ""):
        company = request.company
        facts = ("Company", company.company_name), ("Times", f"of {company.time_zone}")
        name = f"{slugify(company.company_name)}-deleted-profiles"
        return as_file(Sheet(name, "Deleted profiles", facts, COLUMNS, _rows(request)), file_format)
    page = {
        "columns": COLUMNS,
        "rows": table_rows(COLUMNS, _rows(request)),
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in FORMATS],
    }
    return report(request, subject, period, "archive.html", page)


def _rows(request: CompanyRequest) -> Iterator[Row]:
    zone = ZoneInfo(request.company.time_zone)
    profiles = list(deleted_profiles(request)[:MOST_SHOWN])
    wanted = [f"profile {profile.pk}" for profile in profiles]
    deletions = AuditEntry.objects.filter(manager=request.company, action="profile.delete", target__in=wanted)
    deleted_at: dict[str, datetime] = dict(deletions.values_list("target", "at"))
    for profile in profiles:
        gone_at = deleted_at.get(f"profile {profile.pk}")
        gone = day_cell(gone_at.astimezone(zone)) if gone_at else Cell("–")
        whose = Cell(profile.name, href=reverse("archive_profile", args=[profile.pk]))
        yield whose, Cell(profile.sip_user), day_cell(profile.created_at.astimezone(zone)), gone
