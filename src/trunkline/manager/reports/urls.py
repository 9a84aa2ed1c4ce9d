"""Routes of the reports: the same pages for the Manager, for a SIP Profile and for a deleted one."""

from __future__ import annotations

from django.urls import URLPattern, path

from trunkline.manager.reports import privacy
from trunkline.manager.reports.allocations import allocations
from trunkline.manager.reports.archive import archive
from trunkline.manager.reports.call import call, call_ladder
from trunkline.manager.reports.costs import costs
from trunkline.manager.reports.statement import statement
from trunkline.manager.reports.usage import usage


def _pages(below: str, name: str, *, archived: bool = False) -> list[URLPattern]:
    fixed = {"archived": archived}
    return [
        path(below, usage, fixed, name=name),
        path(f"{below}/incoming", usage, fixed | {"incoming": True}, name=f"{name}_incoming"),
        path(f"{below}/allocations", allocations, fixed, name=f"{name}_allocations"),
        path(f"{below}/statement", statement, fixed, name=f"{name}_statement"),
    ]


urlpatterns = [
    *privacy.urlpatterns,
    *_pages("reports", "reports"),
    path("reports/costs", costs, name="reports_costs"),
    path("reports/archive", archive, name="reports_archive"),
    path("reports/calls/<int:call_ref>", call, name="reports_call"),
    path("reports/calls/<int:call_ref>/ladder.txt", call_ladder, name="reports_call_ladder"),
    *_pages("reports/archive/<int:profile_id>", "archive_profile", archived=True),
    *_pages("trunks/<int:profile_id>/reports", "profile_reports"),
]
