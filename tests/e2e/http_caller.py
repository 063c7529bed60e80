"""A plain HTTP client for tests: sends exactly what it is told and keeps every byte of the answer."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

TAXII = "application/taxii+json;version=2.1"
PATIENCE_SECONDS = 60
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$")
"""How long a test waits for an answer before it calls the server dead; nothing is measured."""


@dataclass
class Answer:
    """Status, header pairs with lower-case names, and the body as it came."""

    status: int
    pairs: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Header values by lower-case name; of repeated ones the last."""
        return dict(self.pairs)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of an envelope or a manifest; an empty answer has none."""
        assert self.status == 200, self
        found: list[dict[str, Any]] = self.json.get("objects", [])
        return found

    @property
    def ids(self) -> list[str]:
        """The ids of the objects in their order."""
        return [item["id"] for item in self.objects]

    @property
    def first(self) -> str | None:
        """X-TAXII-Date-Added-First."""
        return self.headers.get("x-taxii-date-added-first")

    @property
    def last(self) -> str | None:
        """X-TAXII-Date-Added-Last."""
        return self.headers.get("x-taxii-date-added-last")


def basic(key: str, secret: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


@dataclass
class HttpCaller:
    """One member's kept-alive connection; ``source`` is the loopback address that it calls from."""

    port: int
    authorization: str | None = None
    source: str = "127.0.0.1"
    _link: socket.socket | None = field(default=None, repr=False)

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None,
        accept: str | None = TAXII,
        authorize: bool = True,
        chunked: bool = False,
    ) -> Answer:
        """Send one request; a connection that the server closed in between is opened again."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name.lower() for name, _ in pairs}
        if authorize and self.authorization and "authorization" not in names:
            pairs.append(("Authorization", self.authorization))
        if accept is not None and "accept" not in names:
            pairs.append(("Accept", accept))
        content = _content(body, chunked)
        if chunked:
            pairs.append(("Transfer-Encoding", "chunked"))
        elif body is not None:
            pairs.append(("Content-Length", str(len(content))))
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        sent = "\r\n".join([*lines, *(f"{n}: {v}" for n, v in pairs), "", ""]).encode("latin-1") + content
        kept = self._link is not None
        answer = self._exchange(sent, method)
        if answer is None and kept:
            answer = self._exchange(sent, method)
        if answer is None:
            raise ConnectionResetError(f"no answer to {method} {target[:200]}")
        return answer

    def _exchange(self, sent: bytes, method: str) -> Answer | None:
        """The answer to one request; None where the connection was closed without a word."""
        if self._link is None:
            self._link = socket.create_connection(
                ("127.0.0.1", self.port), timeout=PATIENCE_SECONDS, source_address=(self.source, 0)
            )
            self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered and closed early
            self._link.sendall(sent)
        received = read_answer(self._link, without_body=method == "HEAD")
        if not received:
            self.close()
            return None
        answer = parsed(received)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def get(self, path: str, query: Mapping[str, Any] | str = "", **more: Any) -> Answer:
        """GET ``path`` with a query given as pairs, or as text that is sent as it is."""
        return self.ask("GET", target(path, query), **more)

    def push(self, path: str, objects: Iterable[Any], **more: Any) -> Answer:
        """POST an envelope of ``objects``: values, or bytes that are put in as they are."""
        return self.post(path, envelope(objects), **more)

    def post(self, path: str, body: bytes | Iterable[bytes], content_type: str | None = TAXII, **more: Any) -> Answer:
        """POST any bytes."""
        pairs = dict(more.pop("headers", {}))
        if content_type is not None:
            pairs["Content-Type"] = content_type
        return self.ask("POST", path, headers=pairs, body=body, **more)

    def delete(self, path: str, query: Mapping[str, Any] | str = "", **more: Any) -> Answer:
        """DELETE ``path``."""
        return self.ask("DELETE", target(path, query), **more)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _content(body: bytes | Iterable[bytes] | None, chunked: bool) -> bytes:
    if body is None:
        return b""
    if not chunked:
        assert isinstance(body, bytes)
        return body
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in body if part]
    return b"".join(parts) + b"0\r\n\r\n"


def target(path: str, query: Mapping[str, Any] | str = "") -> str:
    """A request target: the query's names and values percent-encoded unless it is text already."""
    if isinstance(query, str):
        return f"{path}?{query}" if query else path
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def envelope(objects: Iterable[Any]) -> bytes:
    """A TAXII envelope; bytes among the objects go in unchanged."""
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in objects]
    return b'{"objects":[' + b",".join(parts) + b"]}"


def raw_exchange(port: int, sent: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes over a new connection and read until the server closes it or has answered once."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as link:
        try:
            link.sendall(sent)
            if half_close:
                link.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused early: the answer may still be there
        return read_answer(link)


def read_answer(link: socket.socket, *, without_body: bool = False) -> bytes:
    """One HTTP answer with a Content-Length, or everything until the end of the connection."""
    received = b""
    wanted = -1
    while True:
        try:
            part = link.recv(262_144)
        except ConnectionResetError:
            return received
        if not part:
            return received
        received += part
        if wanted < 0:
            if re.match(rb"HTTP/1\.1 1\d\d ", received):  # "100 Continue" goes before the answer
                received = received.partition(b"\r\n\r\n")[2]
            head, gap, _ = received.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if not gap or not length:
                continue
            wanted = len(head) + len(gap) + (0 if without_body else int(length[1]))
        if len(received) >= wanted:
            return received


def parsed(received: bytes) -> Answer:
    """An answer that came over a raw connection."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    assert re.match(r"HTTP/1\.[01] [0-9]{3} ", first + " "), first
    pairs = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return Answer(int(first.split()[1]), pairs, body)


def assert_taxii_error(answer: Answer, *statuses: int) -> None:
    """TAXII 2.1, 3.6.1: an error message with a title, its status as text, and TAXII's media type."""
    assert answer.status in statuses, (answer.status, answer.body[:300])
    assert answer.headers["content-type"] == TAXII
    message = answer.json
    assert isinstance(message["title"], str)
    assert message["title"]
    assert message["http_status"] == str(answer.status)
    for name in ("description", "error_id", "error_code", "external_details"):
        assert isinstance(message.get(name, ""), str)
    assert isinstance(message.get("details", {}), dict)
    assert b"Traceback" not in answer.body
