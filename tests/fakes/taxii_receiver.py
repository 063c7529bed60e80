"""A TAXII 2.1 server that takes pushes in several manners: at once, later, in part, or only small envelopes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.ports import free_port

MEDIA = "application/taxii+json;version=2.1"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


@dataclass
class Receiver:
    """What the server does, and what it got."""

    port: int = 0
    max_content_length: int = 100_000
    token: str = "made-up token"
    refuse: dict[str, str] = field(default_factory=dict)
    """Id of an object to the message of its failure."""
    choke_on: set[str] = field(default_factory=set)
    """Ids for which the envelope as a whole is answered with 422."""
    pending_for: int = 0
    """How many times a status is told as pending."""
    counts_only: bool = False
    """A status has counts, and names no object."""
    got: list[dict[str, Any]] = field(default_factory=list)
    envelopes: list[int] = field(default_factory=list)
    """Bytes of each envelope that was taken."""
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The API root."""
        return f"http://127.0.0.1:{self.port}/root"

    def take(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to an envelope."""
        if len(body) > self.max_content_length:
            return 413, {"title": "too large"}
        objects = json.loads(body)["objects"]
        if any(one["id"] in self.choke_on for one in objects):
            return 422, {"title": "can't be read"}
        self.envelopes.append(len(body))
        taken = [one for one in objects if one["id"] not in self.refuse]
        failed = [{"id": one["id"], "version": "x", "message": self.refuse[one["id"]]} for one in objects
                  if one["id"] in self.refuse]
        self.got += taken
        status: dict[str, Any] = {
            "id": f"00000000-0000-4000-8000-{len(self.statuses):012}", "status": "complete", "total_count": len(objects),
            "success_count": len(taken), "failure_count": len(failed), "pending_count": 0,
        }
        if not self.counts_only:
            status |= {"successes": [{"id": one["id"]} for one in taken], "failures": failed}
        self.statuses[status["id"]] = {"left": self.pending_for, "status": status}
        return 202, self.told(status["id"])

    def told(self, name: str) -> dict[str, Any]:
        """A status as it is now."""
        known = self.statuses[name]
        if known["left"] == 0:
            return dict(known["status"])
        known["left"] -= 1
        total = known["status"]["total_count"]
        return {"id": name, "status": "pending", "total_count": total, "success_count": 0, "failure_count": 0,
                "pending_count": total}

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """The answer to GET."""
        if path == "/taxii2/":
            return 200, {"title": "fake", "api_roots": [f"{self.url}/"]}
        if path == "/root/":
            return 200, {"title": "root", "versions": [MEDIA], "max_content_length": self.max_content_length}
        if path == "/root/collections/":
            return 200, {"collections": [{"id": COLLECTION, "title": "Drop", "can_read": False, "can_write": True}]}
        if path.startswith("/root/status/"):
            return 200, self.told(path.split("/")[3])
        return 404, {"title": "nothing here"}


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Serve on a loopback port while the block runs."""
    receiver.port = free_port()

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def _say(self, status: int, said: dict[str, Any]) -> None:
            raw = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", MEDIA)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self._say(*(receiver.answer(self.path) if self._known() else (401, {"title": "who?"})))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._say(*(receiver.take(body) if self._known() else (401, {"title": "who?"})))

        def _known(self) -> bool:
            return self.headers["Authorization"] == f"Bearer {receiver.token}"

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
