"""One connection of the server: the same head again, answers in one go, and headers that can't make others."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader

from exchange.web.connection import FIELDS, HEAD, Alike, Answered, OneAnswer, OneRequest, Remembered

GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n"
PEER = ("192.0.2.1", 1)


class Link:
    """A client's socket, and the server's reading of it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.settings = Remembered(Config())
        self.unreader = SocketUnreader(server)
        self.number = 0
        self.peer: str | tuple[str, int] = PEER

    def read(self, sent: bytes) -> OneRequest:
        self.client.sendall(sent)
        self.number += 1
        return OneRequest(self.settings, self.unreader, self.peer, self.number)

    def answer(self, request: OneRequest, headers: list[tuple[str, str]], *parts: bytes) -> tuple[OneAnswer, bytes]:
        made = OneAnswer(request, self.server, self.settings)
        made.start_response("200 OK", headers)
        for part in parts:
            made.write(part)
        made.close()
        return made, self.client.recv(65_536)


@pytest.fixture
def link() -> Iterator[Link]:
    client, server = socket.socketpair()
    with closing(client), closing(server):
        yield Link(client, server)


def test_the_same_head_again_means_the_same(link: Link) -> None:
    first, second = link.read(GET), link.read(GET)
    assert (first.repeats, second.repeats) == ("", HEAD)
    for name in ("method", "uri", "path", "query", "fragment", "version", "headers"):
        assert getattr(first, name) == getattr(second, name), name
    assert not second.is_unread


@pytest.mark.parametrize(("other", "repeats"), [
    (GET.replace(b"b=c", b"b=d"), FIELDS), (GET.replace(b"eDp5", b"eDp6"), ""), (GET.replace(b"GET", b"PUT"), FIELDS),
    (GET.replace(b": x", b": y"), ""),
])
def test_another_head_is_parsed_anew(link: Link, other: bytes, repeats: str) -> None:
    first, second, third = link.read(GET), link.read(other), link.read(GET)
    assert [one.repeats for one in (first, second, third)] == ["", repeats, repeats]
    assert (second.method, second.query, second.headers) != (first.method, first.query, first.headers)


@pytest.mark.parametrize("line", [
    b"GET /a?b=d HTTP/1.1", b"PUT /a HTTP/1.1", b"GET /a?b=c HTTP/1.0", b"GET http://x/a?b=c HTTP/1.1", b"OPTIONS * HTTP/1.1",
    b"GET /" + 3_000 * b"a" + b" HTTP/1.1", b"GET / HTTP/1.1",
])
def test_the_fields_again_under_another_line_mean_what_they_mean_to_a_first_request(link: Link, line: bytes) -> None:
    head = line + GET[GET.index(b"\r\n"):]
    link.read(GET)
    second = link.read(head)
    link.unreader.former = None
    alone = link.read(head)
    for name in ("method", "uri", "path", "query", "fragment", "version", "headers", "scheme", "head", "fields"):
        assert getattr(second, name) == getattr(alone, name), name
    assert second.repeats != HEAD
    assert link.read(head).repeats == HEAD


@pytest.mark.parametrize("line", [
    b"", b"GET", b"GET /", b"GET / HTTP/2.0", b"GET / HTTP/1.1 ", b"GET /\nX: y HTTP/1.1", b"GET /\x00 HTTP/1.1", b"G\xc4T / HTTP/1.1",
    b"GET / HTTP/1.1\rX: y HTTP/1.1", b"GET  / HTTP/1.1", b"GET x HTTP/1.1", b"GET /" + 5_000 * b"a" + b" HTTP/1.1",
    b"GET / HTTP/1.1\n HTTP/1.1", b"get / HTTP/1.1",
])
def test_a_line_that_is_refused_is_refused_before_fields_that_were_read_already(link: Link, line: bytes) -> None:
    head = line + GET[GET.index(b"\r\n"):]
    with pytest.raises(ParseException) as alone:
        link.read(head)
    link.unreader.former = None
    link.read(GET)
    with pytest.raises(ParseException) as after:
        link.read(head)
    assert (type(after.value), str(after.value)) == (type(alone.value), str(alone.value))


def test_a_head_with_something_behind_it_is_never_taken_for_the_one_before(link: Link) -> None:
    body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    first = link.read(body + b"ab")
    assert (first.head, first.body.read()) == (b"", b"ab")
    second = link.read(body + b"cd")
    assert (second.repeats, second.body.read()) == ("", b"cd")


def test_a_body_that_comes_after_the_same_head_is_read_as_its_own(link: Link) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    for body in (b"ab", b"cd"):
        request = link.read(head)
        assert request.is_unread
        link.client.sendall(body)
        assert request.body.read() == body
        assert not request.is_unread


@pytest.mark.parametrize("bad", [
    GET.replace(b"Host: x", b"Host : x"), b"GET / HTTP/1.1\nHost: x\r\n\r\n", GET.replace(b"Host: x", b"Host: x\r\nHost: y"),
    GET.replace(b"Host: x", b"Content-Length: 1\r\nTransfer-Encoding: chunked"),
])
def test_what_isn_t_http_is_refused_as_ever(link: Link, bad: bytes) -> None:
    link.read(GET)
    with pytest.raises(ParseException):
        link.read(bad)


def test_an_answer_leaves_whole_and_can_be_given_again(link: Link) -> None:
    request = link.read(GET)
    made, sent = link.answer(request, [("Content-Length", "2"), ("X-A", "b"), ("Connection", "close")], b"ok")
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert (lines[0], body) == (b"HTTP/1.1 200 OK", b"ok")
    assert lines.count(b"Connection: keep-alive") == 1
    assert {b"Content-Length: 2", b"X-A: b"} <= set(lines)
    assert made.whole is not None
    for still in (True, False):
        again = link.read(GET)
        again.answered = Answered(*made.whole, still=lambda still=still: still)  # type: ignore[misc]
        assert again.answer_again(link.server) is still
    assert link.client.recv(65_536).partition(b"\r\n\r\n")[2] == b"ok"


@pytest.mark.parametrize(("headers", "parts"), [
    ([("Content-Length", "4")], (b"ok",)), ([], (b"ok", b"ok")), ([("Content-Length", "4")], (b"ok", b"ok")),
])
def test_what_went_out_in_parts_isn_t_kept(link: Link, headers: list[tuple[str, str]], parts: tuple[bytes, ...]) -> None:
    made, sent = link.answer(link.read(GET), headers, *parts)
    assert made.whole is None
    assert b"ok" in sent


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\nb", "a\rb", "a\x00b", "a\r\n\r\n<html>"])
def test_no_header_of_an_answer_begins_another_line(link: Link, value: str) -> None:
    request = link.read(GET)
    made = OneAnswer(request, link.server, link.settings)
    made.start_response("200 OK", [("Content-Length", "2"), ("X-A", value)])
    with pytest.raises(ValueError, match="can't stand in one"):
        made.write(b"ok")
    link.server.setblocking(False)
    link.client.setblocking(False)
    with pytest.raises(BlockingIOError):
        link.client.recv(1)


@pytest.mark.parametrize("more", [b"Content-Length: 2", b"Transfer-Encoding: chunked", b"Content-Length: 0\r\nExpect: 100-continue"])
def test_no_answer_is_given_again_to_a_request_that_brings_a_body(link: Link, more: bytes) -> None:
    head = GET.replace(b"Host: x", b"Host: x\r\n" + more)
    first = link.read(head)
    first.body.reader = LengthReader(link.unreader, 0)
    second = link.read(head)
    second.answered = Answered(b"", b"", still=lambda: True)
    assert second.repeats == HEAD
    assert not second.answer_again(link.server)


def test_a_proxy_on_a_unix_socket_says_of_each_request_how_the_client_came(link: Link) -> None:
    head = GET.replace(b"Host: x", b"Host: x\r\nX-Forwarded-Proto: https")
    link.peer = ""
    assert [link.read(sent).scheme for sent in (head, head, GET, GET, head)] == ["https", "https", "http", "http", "https"]
    link.peer = PEER
    assert [link.read(sent).scheme for sent in (GET, head, head)] == ["http", "http", "http"], "nobody with an address is believed"


def by_target(target: str, told: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes] | None:
    """Answers what begins with /a and tells of the rest."""
    if target.startswith("/a"):
        return [("Content-Length", "2"), ("X-Target", target)], b"{}"
    told["told"] = target
    return None


@pytest.mark.parametrize(("line", "more", "answered", "told"), [
    (b"GET /a/b HTTP/1.1", b"", True, {}), (b"GET /a?b=c HTTP/1.1", b"", True, {}), (b"GET /b HTTP/1.1", b"", False, {"told": "/b"}),
    (b"HEAD /a HTTP/1.1", b"", False, {}), (b"GET /a HTTP/1.0", b"", False, {}), (b"GET /a HTTP/1.1", b"X: y\r\n", False, {}),
])
def test_a_request_with_the_same_fields_may_be_answered_by_its_target_alone(
    link: Link, line: bytes, more: bytes, answered: bool, told: dict[str, str]
) -> None:
    first = link.read(GET)
    first.alike = Alike(b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: ", by_target)
    second = link.read(line + b"\r\n" + more + GET[GET.index(b"\r\n") + 2:])
    known: dict[str, Any] = {}
    assert second.answer_alike(link.server, known) is answered
    assert known == told
    if answered:
        given = link.client.recv(65_536)
        _, whole = link.answer(second, [("Content-Length", "2"), ("X-Target", second.uri)], b"{}")
        assert given == whole


@pytest.mark.parametrize("more", [b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 2\r\nExpect: 100-continue\r\n"])
def test_a_request_that_brings_a_body_is_never_answered_by_its_target_alone(link: Link, more: bytes) -> None:
    head = GET.replace(b"Host", more + b"Host")
    first = link.read(head)
    first.alike = Alike(b"", by_target)
    link.client.sendall(b"{}" if b"Length" in more else b"2\r\n{}\r\n0\r\n\r\n")
    assert first.body.read() == b"{}"
    assert not link.read(head).answer_alike(link.server, {})


def test_a_target_that_would_end_a_line_of_the_answer_ends_nothing(link: Link) -> None:
    first = link.read(GET)
    first.alike = Alike(b"", lambda target, told: ([("X-Target", "a\r\nSet-Cookie: b")], b""))
    with pytest.raises(ValueError, match="header"):
        link.read(GET).answer_alike(link.server, {})


@pytest.mark.parametrize("line", [
    b"GET /a HTTP/1.1", b"GET / HTTP/1.1", b"GET /a-b_c.d/E9/ HTTP/1.1", b"GET /../a/./b HTTP/1.1", b"GET /a?b HTTP/1.1", b"GET /a#b HTTP/1.1",
    b"GET /a%20b HTTP/1.1", b"GET /a;b HTTP/1.1", b"GET /a:b@c HTTP/1.1", b"GET //a/b HTTP/1.1", b"GET  HTTP/1.1", b"GET a HTTP/1.1", b"GET /a HTTP/1.0",
    b"GET /a  HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /a\tHTTP/1.1", b"GET /\xe4 HTTP/1.1", b"GET /a HTTP/2.0", b"GET /a", b"HEAD /a HTTP/1.1",
    b"get /a HTTP/1.1", b"GET HTTP/1.1", b"GET /a\x00 HTTP/1.1", b"GET * HTTP/1.1", b"GET http://x/a HTTP/1.1", b"GET / HTTP/1.1 HTTP/1.1", b"", b"GET ",
])
def test_a_first_line_means_what_it_means_to_gunicorn(link: Link, line: bytes) -> None:
    def read(kind: Callable[[Any, bytes], None]) -> tuple[object, ...]:
        request = link.read(GET)
        try:
            kind(request, line)
        except ParseException as refused:
            return (type(refused), str(refused))
        return request.method, request.uri, request.path, request.query, request.fragment, request.version

    assert read(OneRequest.parse_request_line) == read(Request.parse_request_line)
