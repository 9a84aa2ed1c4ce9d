"""Programs that act for a company: their tokens, what they asked for already, and the webhooks that tell them what happened."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import Q

from trunkline.store.models.people import Role


class ApiToken(models.Model):
    """May do in a company what a person of that role may. Only its digest is here; whoever made it has seen it once."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=16, choices=Role.choices)
    call_details = models.BooleanField(default=False, help_text="may see who called whom; whoever made it was told what that means")
    digest = models.CharField(max_length=64, unique=True, help_text="hex SHA-256")
    prefix = models.CharField(max_length=16, help_text="its beginning, to tell it from others")
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="api_token_role", condition=Q(role__in=Role.values))]


class ApiRequest(models.Model):
    """A request that carried an Idempotency-Key. Its row is there before anything is done; `status` 0: it is being done."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64, help_text="hex SHA-256 of token and key")
    request_digest = models.CharField(max_length=64, help_text="of method, path and body")
    status = models.PositiveIntegerField(default=0)
    answer_sealed = models.TextField(blank=True, help_text="it may hold a new password")
    started_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="api_request_once", fields=["key"])]
        indexes = [models.Index(name="api_request_by_age", fields=["started_at"])]


class WebhookEndpoint(models.Model):
    """A URL of a company that is told what happens."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(help_text="kinds of events")
    secret_sealed = models.TextField()
    former_secret_sealed = models.TextField(blank=True, default="", help_text="the one before: deliveries are signed with it, too")
    former_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=200, blank=True)
    deleted_at = models.DateTimeField(null=True)


class WebhookDelivery(models.Model):
    """One event for one endpoint; row, queue and history. `event` says what it is about: it is told once."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    payload = models.TextField(help_text="JSON, as it is sent")
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    status = models.PositiveIntegerField(default=0, help_text="the last HTTP status; 0: there was none")
    failure = models.CharField(max_length=200, blank=True)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="webhook_event_once", fields=["endpoint", "event"])]
        indexes = [
            models.Index(name="webhook_to_send", fields=["next_try_at"], condition=Q(delivered_at__isnull=True, given_up_at__isnull=True)),
            models.Index(name="webhook_by_age", fields=["created_at"]),
            models.Index(name="webhook_newest", fields=["endpoint", "-id"]),
        ]


class WebhookPosition(models.Model):
    """How far the tables have been read for events. `pending`: calls up to `position` that were in progress then."""

    name = models.CharField(max_length=16, unique=True)
    position = models.BigIntegerField()
    pending = models.JSONField(default=list)
