"""A plain HTTP client for tests: sends exactly what it is told and keeps every byte of the answer."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

TAXII = "application/taxii+json;version=2.1"
PATIENCE_SECONDS = 60
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
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(
        self, method: str, target: str, *, headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None, accept: str | None = TAXII,
        authorize: bool = True, chunked: bool = False,
    ) -> Answer:
        """Send one request; a connection that the server closed in between is opened again."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name.lower() for name, _ in pairs}
        if authorize and self.authorization and "authorization" not in names:
            pairs.append(("Authorization", self.authorization))
        if accept is not None and "accept" not in names:
            pairs.append(("Accept", accept))
        try:
            return self._send(method, target, pairs, body, chunked)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            return self._send(method, target, pairs, body, chunked)

    def get(self, path: str, query: Mapping[str, Any] | str = "", **more: Any) -> Answer:
        """GET ``path`` with a query given as pairs, or as text that is sent as it is."""
        return self.ask("GET", target(path, query), **more)

    def push(self, path: str, objects: Iterable[Any], **more: Any) -> Answer:
        """POST an envelope of ``objects``: values, or bytes that are put in as they are."""
        return self.post(path, envelope(objects), **more)

    def post(
        self, path: str, body: bytes | Iterable[bytes], content_type: str | None = TAXII, **more: Any
    ) -> Answer:
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
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self, method: str, target: str, pairs: list[tuple[str, str]], body: Any, chunked: bool
    ) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=PATIENCE_SECONDS, source_address=(self.source, 0)
            )
        connection = self._connection
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value.encode("latin-1") if isinstance(value, str) else value)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body, encode_chunked=chunked)
        response = connection.getresponse()
        content = response.read()
        found = [(name.lower(), value) for name, value in response.getheaders()]
        if response.will_close:
            self.close()
        return Answer(response.status, found, content)


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


def read_answer(link: socket.socket) -> bytes:
    """One HTTP answer with a Content-Length, or everything until the end of the connection."""
    received = b""
    while True:
        try:
            part = link.recv(65_536)
        except ConnectionResetError:
            return received
        if not part:
            return received
        received += part
        head, gap, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length:\s*(\d+)\s*$", head)
        if gap and length and len(body) >= int(length[1]):
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
