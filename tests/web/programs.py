"""A company's program: asks the API with a token."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.store.cast import BY
from tests.web.cast import Cast
from trunkline.store import clock
from trunkline.store.models import Role
from trunkline.usecases import api_tokens

API = "/api/v1"


@dataclass
class Program:
    token: str
    client: Client = field(default_factory=lambda: Client(headers={"host": "localhost"}, raise_request_exception=False))

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "", expect: int = 200) -> Any:
        """What it answers; the status must be the expected one."""
        headers = {"authorization": f"Bearer {self.token}"} | ({"idempotency-key": key} if key else {})
        data = b"" if body is None else json.dumps(body)
        answer = self.client.generic(method, API + path, data, content_type="application/json", headers=headers)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.content.decode()[:500]}"
        return answer.json()

    def get(self, path: str, *, expect: int = 200) -> Any:
        return self.ask("GET", path, expect=expect)

    def post(self, path: str, body: Any = None, *, key: str = "", expect: int = 200) -> Any:
        return self.ask("POST", path, body, key=key, expect=expect)


def program(cast: Cast, role: str = Role.ADMINISTRATOR, *, call_details: bool = False) -> Program:
    about: dict[str, Any] = {"name": f"ERP {role}", "role": role, "call_details": call_details}
    made = api_tokens.create_token(now=clock.now(), by=BY, manager_id=cast.company.manager_id, **about)
    return Program(made.token)
