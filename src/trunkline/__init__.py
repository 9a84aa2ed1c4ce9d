"""Trunkline: self-hosted, multi-tenant, prepaid SIP trunking."""

__version__ = "0.1.0"
