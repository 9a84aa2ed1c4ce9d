"""What the operator tells everybody about the service, and what the service tells the operator."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Incident(models.Model):
    """Something that customers notice, or will at `begins_at` (planned work). It is open until `ends_at` is set."""

    class Part(models.TextChoices):
        ALL = "all", "The whole service"
        CALLS = "calls", "Calls"
        REGISTRATIONS = "registrations", "Registrations"
        WEB = "web", "Web pages and API"
        PAYMENTS = "payments", "Payments and renewals"

    title = models.CharField(max_length=120)
    part = models.CharField(max_length=16, choices=Part.choices)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="incident_part", condition=Q(part__in=("all", "calls", "registrations", "web", "payments"))),
            models.CheckConstraint(name="incident_ends_after_it_began", condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("begins_at"))),
        ]


class IncidentNote(models.Model):
    """What was said about an incident, and when. The newest one has its state."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        LOOKING = "looking", "Looking for the cause"
        MENDING = "mending", "Cause known, being mended"
        WATCHING = "watching", "Mended, being watched"
        OVER = "over", "Over"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices)
    text = models.CharField(max_length=1000)
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.CheckConstraint(name="incident_note_state", condition=Q(state__in=("planned", "looking", "mending", "watching", "over")))
        ]


class FraudLook(models.Model):
    """The hints of fraud that were found when somebody last looked (`store.flags`). One row, with id 1."""

    at = models.DateTimeField()
    found = models.JSONField(default=list, help_text="each: profile id, what, how much, since when (ISO 8601)")
