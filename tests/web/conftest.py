"""Passwords that are checked fast: what the real ones cost is Django's business, not these tests'."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core import mail
from django.test.utils import override_settings

from tests.conftest import Store

QUICK = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
}


@pytest.fixture(autouse=True)
def quick_web(store: Store) -> Iterator[None]:
    """Every test of a page has a store of its own; mail stays in memory."""
    with override_settings(**QUICK):
        mail.outbox = []
        yield
