"""A few of Stripe's answers on a local port: enough for the real library to talk to. It remembers idempotency keys as Stripe does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Form = dict[str, str]
Answer = tuple[int, dict[str, Any]]
DROP: Answer = (0, {})  # close the connection without an answer


@dataclass
class StandIn:
    """`answers`: by method and path; a function of what was sent. `asked`: what came."""

    url: str = ""
    answers: dict[str, Callable[[Form], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, Form, str]] = field(default_factory=list)
    remembered: dict[str, Answer] = field(default_factory=dict)

    def answer(self, what: str, form: Form, key: str) -> Answer:
        self.asked.append((what, form, key))
        if key in self.remembered:
            return self.remembered[key]
        known = self.answers.get(what)
        made = known(form) if known else (404, {"error": {"type": "invalid_request_error", "message": f"nothing at {what}"}})
        if key and made is not DROP:
            self.remembered[key] = made
        return made


@contextmanager
def stand_in() -> Iterator[StandIn]:
    stripe = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._answer(f"GET {parts.path}", dict(parse_qsl(parts.query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self._answer(f"POST {self.path}", dict(parse_qsl(body)))

        def _answer(self, what: str, form: Form) -> None:
            status, body = stripe.answer(what, form, self.headers.get("Idempotency-Key", ""))
            if not status:
                self.close_connection = True
                return
            written = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stripe.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stripe
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
