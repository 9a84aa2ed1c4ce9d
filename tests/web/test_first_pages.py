"""The web process: well or not, safe headers, and every route says who may use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client

from tests.conftest import Store
from trunkline.web.headers import HEADERS


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": "localhost"})


@pytest.mark.usefixtures("store")
def test_health_is_good_when_the_store_answers(visitor: Client) -> None:
    answer = visitor.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "store": "answers"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_health_is_bad_when_the_store_is_gone(store: Store, visitor: Client, tmp_path: Path) -> None:
    """No database there, or one without tables; and good again when it is back."""
    before = dict(connections.settings["default"])
    gone = {"HOST": str(tmp_path)} if store.kind == "postgresql" else {"NAME": tmp_path / "nowhere" / "store.sqlite3"}
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = before | gone
    answer = visitor.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "store": "does not answer"})
    del connections["default"]
    connections.settings["default"] = before
    assert visitor.get("/health").status_code == 200


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("path", ["/", "/health", "/nowhere", "/static/web/base.css"])
def test_every_answer_has_safe_headers(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer.close()


@pytest.mark.usefixtures("store")
def test_the_first_page_says_what_this_is(visitor: Client) -> None:
    page = visitor.get("/").content.decode()
    assert "<h1>Trunkline</h1>" in page
    assert "emergency" in page
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert "style=" not in page


@pytest.mark.usefixtures("store")
def test_only_looking_is_allowed(visitor: Client) -> None:
    assert visitor.post("/health").status_code == 405
    assert visitor.head("/health").status_code == 200
    assert Client(headers={"host": "evil.example"}).get("/").status_code == 400
