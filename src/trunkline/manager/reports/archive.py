"""Deleted SIP Profiles: their reports stay for the operator's retention time (SPEC R2.7, R9.2)."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from trunkline.manager.reports.subject import deleted_profiles, period_of, report, subject_of
from trunkline.store.models import AuditEntry
from trunkline.web.access import Audience, open_to
from trunkline.web.company import CompanyRequest

MOST_SHOWN = 500


@open_to(Audience.REPORTS)
@require_safe
def archive(request: CompanyRequest) -> HttpResponse:
    subject, period = subject_of(request, None), period_of(request)
    profiles = list(deleted_profiles(request)[:MOST_SHOWN])
    wanted = [f"profile {profile.pk}" for profile in profiles]
    deletions = AuditEntry.objects.filter(manager=request.company, action="profile.delete", target__in=wanted)
    deleted_at = dict(deletions.values_list("target", "at"))
    rows = [(profile, deleted_at.get(f"profile {profile.pk}")) for profile in profiles]
    return report(request, subject, period, "archive.html", {"rows": rows})
