"""Accounts and postings: money and the seconds of bundles."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

CALLS = ("call", "call_back", "minutes", "minutes_back")
"""Kinds of postings that call control writes."""


class Account(models.Model):
    """A ledger account. `balance` = credits - debits of its postings; `held` = sum of the open holds on it."""

    class Kind(models.TextChoices):
        FUNDING = "funding", "money in from outside"
        MANAGER = "manager", "a Manager's Credit"
        PROFILE = "profile", "a SIP Profile's Credit"
        BUNDLE = "bundle", "the minutes of one term of a bundle, in seconds"
        REVENUE = "revenue", "the operator's income"
        LOSS = "loss", "what payments that were taken back have cost the operator"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, help_text="ISO 4217, or SEC for seconds of a bundle")
    guarded = models.BooleanField(help_text="a purse: balance - held may never go below zero")
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="account_held_not_negative", condition=Q(held__gte=0)),
            models.CheckConstraint(name="account_purse_not_negative", condition=Q(guarded=False) | Q(balance__gte=F("held"))),
            models.UniqueConstraint(
                name="account_one_per_currency", fields=["kind", "currency"], condition=Q(kind__in=["funding", "revenue", "loss"])
            ),
        ]


class Posting(models.Model):
    """One movement: `amount` leaves `debit` and enters `credit`. Never changed, never deleted; corrections are new postings.

    `key` says what the posting is about (`call/<ref>/<n>`, `allocate/<id>`, ...): the same thing can't be posted twice.
    """

    key = models.CharField(max_length=80)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField()
    kind = models.CharField(max_length=24)
    call_ref = models.BigIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    posted_us = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="posting_key_once", fields=["key"]),
            models.CheckConstraint(name="posting_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="posting_two_accounts", condition=~Q(debit=F("credit"))),
        ]
        indexes = [
            # with the amount in them the audit reads indexes only, in order: 10 million postings in seconds
            models.Index(name="posting_by_debit", fields=["debit", "id", "amount"]),
            models.Index(name="posting_by_credit", fields=["credit", "id", "amount"]),
            models.Index(name="posting_by_call", fields=["call_ref", "kind", "amount"]),
            # what is not of calls is found without going through those that are; calls pay nothing for these
            models.Index(name="posting_debit_beside", fields=["debit", "id"], condition=~Q(kind__in=CALLS)),
            models.Index(name="posting_credit_beside", fields=["credit", "id"], condition=~Q(kind__in=CALLS)),
        ]


class StatementHead(models.Model):
    """Where a purse stood when a month was over: the balance, and the head of its chain of hashes up to there. Append-only.

    A month without one, before a month that has one, was quiet.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="its first day")
    postings = models.BigIntegerField(help_text="so many up to its end, since the purse was opened")
    last_posting = models.BigIntegerField(db_default=0, help_text="id of the last of them; 0: none")
    balance = models.BigIntegerField()
    head = models.CharField(max_length=64, help_text="hex SHA-256; see trunkline.domain.statements")
    wording = models.SmallIntegerField(
        db_default=1, help_text="its rows' words, which the head covers; see trunkline.domain.statement_words"
    )
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="statement_head_once", fields=["account", "month"])]
