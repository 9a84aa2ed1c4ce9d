"""The outbox."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Mail(models.Model):
    """A mail to be sent, written in the transaction of what it is about. `key` says what that is: the same is sent once."""

    key = models.CharField(max_length=120, unique=True)
    manager = models.ForeignKey("store.Manager", null=True, on_delete=models.PROTECT, related_name="mails")
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=200, blank=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="mail_to_send", fields=["next_try_at"], condition=Q(sent_at__isnull=True, given_up_at__isnull=True))]
