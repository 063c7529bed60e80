"""One client's connection: its requests one after the other, and their answers, each sent in one go.

The parsing, and so what a request is, is gunicorn's. What it does again for each request is done here once for a
worker, a connection or a second; that is a third of what a small answer costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import InvalidRequestLine, LimitRequestLine
from gunicorn.http.message import Request
from gunicorn.util import hop_headers

AGAIN = "cibx.again"
"""Where the application leaves, in a request's environment, a function that says whether the same request on the same
connection has the same answer now. It does whatever else answering does: it counts the request."""
ALIKE = "cibx.alike"
"""Where the application leaves, in a request's environment, what answers others of the connection (``Answers``)."""
REPEATED = "cibx.repeated"
"""Where the application finds, in a request's environment, how much of its head is that of the request before:
``HEAD``, ``FIELDS`` or nothing."""
HEAD, FIELDS = "head", "fields"
Headers = list[tuple[str, str]]
Answers = Callable[[str, dict[str, Any]], tuple[Headers, bytes] | None]
"""Answers a GET of a target with the fields of the one before: headers and body of a 200, but for what the server says
itself. None where the application is to be asked as ever; what it should know then is put in the dictionary, which
goes into the request's environment."""
_VERSION = b" HTTP/1.1\r\n"
"""Or another as long: what ends a request's first line."""
_GET, _HTTP = b"GET ", b" HTTP/1.1"
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
"""Signs of a path that mean themselves."""
_TOGETHER = 65_536
"""Bytes of a body that are sent with the head; a longer one isn't worth copying."""
_STAYS, _ENDS = "Connection: keep-alive\r\n\r\n", "Connection: close\r\n\r\n"
_FIELD_TEXT = b"\t\r\n" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))


class Remembered:
    """gunicorn's settings, which it computes each time that one is asked for; they don't change in a worker's life."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._settings, name)
        setattr(self, name, value)
        return value


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was sent: its bytes before and behind the date, and whether it is the same now."""

    before: bytes
    behind: bytes
    still: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Alike:
    """What answers requests like one that was answered: the bytes before the date, and the application's part."""

    before: bytes
    answers: Answers


class OneRequest(Request):  # type: ignore[misc]
    """A request. What is the same bytes as in the one before it on its connection isn't parsed again: the whole head,
    or all fields of it."""

    head = b""
    """The bytes of the head, where they came in one piece with nothing behind them."""
    fields = b""
    """Of them those from the version on."""
    repeats = ""
    """How much of the head is that of the request before: ``HEAD``, ``FIELDS`` or nothing."""
    answered: Answered | None = None
    """Its answer where the application told how long that holds; till it is answered, that to the same one before."""
    alike: Alike | None = None
    """What answers requests with these fields."""

    def __init__(self, cfg: Any, unreader: Any, peer_addr: Any, req_number: int = 1) -> None:
        former, sent = getattr(unreader, "former", None), b""
        if former is not None and former.fields:
            sent = unreader.read()
            line = sent.find(b"\r\n")
            if sent.endswith(former.fields) and line + 2 == len(sent) - len(former.fields) + len(_VERSION):
                unreader.former = self
                self._take_over(former, sent, line)
                self.req_number = req_number
                return
            unreader.unread(sent)
        unreader.former = self
        super().__init__(cfg, unreader, peer_addr, req_number)

    def parse(self, unreader: Any) -> bytes:
        """Read the head; gives what was read beyond it."""
        sent = unreader.read()
        unreader.unread(sent)
        beyond: bytes = super().parse(unreader)
        line = sent.find(b"\r\n")
        if not beyond and line > len(_VERSION) and sent.find(b"\r\n\r\n") == len(sent) - 4:
            self.head, self.fields = sent, sent[line + 2 - len(_VERSION):]
        return beyond

    def _take_over(self, former: OneRequest, sent: bytes, line: int) -> None:
        """Be the request before, but for its body and the first line, of ``line`` bytes; another one is parsed."""
        self.__dict__.update(former.__dict__)
        self.head = sent
        if sent == former.head:
            self.repeats = HEAD
        else:
            self.repeats, self.answered = FIELDS, None
            if line > self.limit_request_line:
                raise LimitRequestLine(line, self.limit_request_line)
            if b"\n" in sent[:line]:
                raise InvalidRequestLine("bare LF as line terminator")
            self.parse_request_line(sent[:line])
        self.must_close = False
        self.trailers: list[tuple[str, str]] = []
        self.set_body_reader()

    def parse_request_line(self, line_bytes: bytes) -> None:
        """As gunicorn's, which goes through every form; most lines are a GET of a path without anything special."""
        path = line_bytes[len(_GET):-len(_HTTP)]
        if not (line_bytes.startswith(_GET) and line_bytes.endswith(_HTTP)) or (
                path[:1] != b"/" or path[1:2] == b"/" or path.translate(None, _PLAIN)):
            super().parse_request_line(line_bytes)
            return
        self.method, self.version, self.query, self.fragment = "GET", (1, 1), "", ""
        self.uri = self.path = path.decode("ascii")

    def _peer_is_trusted_proxy(self) -> bool:
        """How the client came is read by the application: nobody who has an address is believed here."""
        return not isinstance(self.peer_addr, tuple)

    @property
    def is_unread(self) -> bool:
        """Whether something of its body may be on its way still."""
        reader = self.body.reader
        return not (isinstance(reader, LengthReader) and reader.length == 0)

    def answer_again(self, sock: Any) -> bool:
        """Send the answer to the same request before, where it is the same still.

        Not where a body belongs to the request: whether it is asked for (100) is told before the answer.
        """
        if self.answered is None or self._brings_body or not self.answered.still():
            return False
        sock.sendall(b"".join((self.answered.before, _date(), self.answered.behind)))
        return True

    def answer_alike(self, sock: Any, told: dict[str, Any]) -> bool:
        """Send what answers requests with these fields, where it answers this one; ``told`` is for who does else."""
        if self.alike is None or self._brings_body or self.method != "GET":
            return False
        given = self.alike.answers(self.uri, told)
        if given is None:
            return False
        headers, body = given
        sock.sendall(b"".join((self.alike.before, _date(), _fields(headers, _STAYS), body)))
        return True

    @property
    def _brings_body(self) -> bool:
        return self.is_unread or bool(self._expected_100_continue)


class OneAnswer(wsgi.Response):  # type: ignore[misc]
    """An answer of which the head goes out with the first part of the body."""

    headers: Headers
    headers_sent: bool
    whole: tuple[bytes, bytes] | None = None
    """What was sent before and behind the date, where that was everything."""

    def process_headers(self, headers: Any) -> None:
        """Take the application's headers but for those that are the server's business."""
        for name, value in headers:
            lower = name.lower()
            if lower == "content-length":
                self.response_length = int(value)
            elif lower in hop_headers:
                continue
            self.headers.append((name, value))

    def send_headers(self) -> None:
        """Send the head, where it hasn't left."""
        if not self.headers_sent:
            head = self._head()
            self.headers_sent = True
            self.sock.sendall(b"".join(head))

    def write(self, part: bytes) -> None:
        """Send a part of the body, the first one with the head."""
        if self.headers_sent or self.chunked or self._omits_body or len(part) > _TOGETHER:
            super().write(part)
            return
        before, date, behind = self._head()
        part = part if self.response_length is None else part[: self.response_length]
        self.headers_sent, self.sent = True, len(part)
        if self.sent == self.response_length:
            self.whole = before, behind + part
        self.sock.sendall(b"".join((before, date, behind, part)))

    def _head(self) -> tuple[bytes, bytes, bytes]:
        """The head in three parts, the date in the middle.

        Raises ValueError for a header that would begin another line.
        """
        last = "Transfer-Encoding: chunked\r\n" if self.chunked else ""
        fields = _fields(self.headers, last + (_ENDS if self.should_close() else _STAYS))
        version = f"HTTP/{self.req.version[0]}.{self.req.version[1]}"
        first = f"{version} {self.status}\r\nServer: {self.version}\r\nDate: "
        return first.encode("latin-1"), _date(), fields


def _fields(headers: Headers, last: str) -> bytes:
    """The fields of a head behind the date; raises ValueError for one that begins another line."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers]) + last
    fields, breaks = text.encode("latin-1"), len(headers) + last.count("\n")
    if fields.count(b"\n") != breaks or fields.count(b"\r") != breaks or fields.translate(None, _FIELD_TEXT):
        raise ValueError("a header of an answer has a sign that can't stand in one")
    return b"\r\n" + fields


_last_date = 0, b""


def _date() -> bytes:
    """The present date (RFC 9110, 5.6.7), written once a second."""
    global _last_date  # noqa: PLW0603 - a lazy cache
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = now, formatdate(now, usegmt=True).encode("ascii")
    return _last_date[1]
