"""A receiver of webhooks that answers as it is told and keeps what came."""

from __future__ import annotations

import base64
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.ports import free_port


@dataclass
class WebhookReceiver:
    """What it answers, and what it got: (headers with small names, body)."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """Statuses of the next messages, then 200."""
    redirect: str = ""
    got: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self, seconds: float = 60) -> tuple[dict[str, str], Any]:
        """The next message's headers and its JSON."""
        headers, body = self.got.get(timeout=seconds)
        return headers, json.loads(body)


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver that knows Standard Webhooks checks a message."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return any(one == "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()
               for one in headers["webhook-signature"].split(" "))


@contextmanager
def receiving_webhooks() -> Iterator[WebhookReceiver]:
    """Serve on a loopback port while the block runs."""
    receiver = WebhookReceiver(free_port())

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            if receiver.redirect:
                self.send_header("Location", receiver.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
