"""An edge for each module of tests. Those that need media too have one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import EdgeInstance, introduce


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance() as instance:
        introduce(instance)
        yield instance


@pytest.fixture
def no_complaints(edge: EdgeInstance) -> Iterator[None]:
    """Kamailio logs no error meanwhile."""
    before = len(edge.complaints())
    yield
    assert edge.complaints()[before:] == []
