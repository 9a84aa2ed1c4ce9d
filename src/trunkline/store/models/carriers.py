"""Upstream gateways."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models


class Carrier(models.Model):
    """An upstream SIP gateway."""

    name = models.CharField(max_length=80, unique=True)
    host = models.CharField(max_length=120, help_text="address; also the source address of its INVITEs")
    port = models.PositiveIntegerField(default=5060)
    transport = models.CharField(max_length=4, choices=[("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")], default="udp")
    auth_user = models.CharField(max_length=80, blank=True)
    auth_password_sealed = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    probe = models.BooleanField(default=True, help_text="ask for its health by OPTIONS")
    up = models.BooleanField(default=True)
    up_changed_at = models.DateTimeField(null=True)


class CarrierRoute(models.Model):
    """Which numbers a carrier takes: longest prefix first, then the smallest priority, then the lowest cost."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="routes")
    prefix = models.CharField(max_length=15, blank=True, help_text="E.164 digits; empty: every number")
    priority = models.PositiveIntegerField(default=10)
    cost_per_minute_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="carrier_route_once", fields=["carrier", "prefix"])]
