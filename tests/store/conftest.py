"""Every test here runs on both databases, each on a store of its own."""

from __future__ import annotations

import pytest

from tests.conftest import Store
from tests.store.cast import Company, make_company


@pytest.fixture
def company(store: Store) -> Company:
    """100 USD, one profile with 10 of them."""
    return make_company(credit_units=100, allocated_units=10)
