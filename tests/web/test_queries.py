"""No page asks more when there is more to show: neither those of a company, nor the operator's, nor the API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.web.cast import make_cast
from tests.web.walk import Page, Walk
from trunkline.api import door


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)


def test_every_page_asks_the_same_with_two_and_with_thirty_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUESTS_PER_SECOND", 1e9)
    walk = Walk(make_cast())
    walk.grow(2)
    pages = walk.pages()
    few = {page: [queries(page.client, page.path) for _ in range(2)][-1] for page in pages}
    walk.grow(28)
    many = {page: queries(page.client, page.path) for page in pages}
    assert named({page: (few[page], count) for page, count in many.items() if count > few[page]}) == {}
    assert named({page: count for page, count in few.items() if count > 30}) == {}


def named(found: dict[Page, object]) -> dict[str, object]:
    return {f"{page.name} {page.path}": what for page, what in found.items()}
