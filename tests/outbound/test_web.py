"""The way out, against a server that is kind, slow, lying or hostile."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import pytest

from exchange.errors import ExchangeError, ForbiddenError, InputError, UnauthorizedError, UnavailableError
from exchange.outbound.patience import BusyError, Patience
from exchange.outbound.web import Clocks, Web
from exchange.outbound.wire import Limits
from tests.fakes.web_peer import Answer, Asked, WebPeer

HERE = ("127.0.0.0/8",)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clocks(self, chance: float = 1.0) -> Clocks:
        return Clocks(self.slept.append, lambda: sum(self.slept), lambda: NOON, lambda: chance)


@pytest.fixture
def peer() -> Iterator[WebPeer]:
    with WebPeer() as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def web(time: Time) -> Iterator[Web]:
    with Web(allow=HERE, clocks=time.clocks(), limits=Limits(2, 2, 5)) as made:
        yield made


def answers(*given: Answer) -> Any:
    """Each answer once, the last one for ever."""
    left = list(given)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def test_an_answer_comes_with_status_headers_body_and_json(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, json.dumps(asked.query).encode(), {"X-Made": "up"})
    reply = web.request("GET", peer.url("/a?x=1"), params={"y": ["2", "3"], "z": 4})
    assert (reply.status, reply.headers["x-made"]) == (200, "up")
    assert reply.json() == {"x": ["1"], "y": ["2", "3"], "z": ["4"]}
    assert reply.url == peer.url("/a")


@pytest.mark.parametrize(("auth", "expected"), [
    ("lorem", "Bearer lorem"), (("ipsum", "dolör"), "Basic aXBzdW06ZG9sw7Zy"),
])
def test_credentials_are_sent_and_a_body_is_json(peer: WebPeer, web: Web, auth: Any, expected: str) -> None:
    peer.routes["/a"] = lambda asked: Answer(201)
    assert web.request("POST", peer.url("/a"), auth=auth, json={"é": 1}).status == 201
    asked = peer.asked[0]
    assert asked.headers["authorization"] == expected
    assert (json.loads(asked.body), asked.headers["content-type"]) == ({"é": 1}, "application/json")


def test_a_status_that_no_rule_covers_is_the_callers(peer: WebPeer, web: Web) -> None:
    assert web.request("GET", peer.url("/nothing")).status == 404


@pytest.mark.parametrize(("status", "kind"), [(401, UnauthorizedError), (403, ForbiddenError)])
def test_a_refused_credential_is_told_at_once(
    peer: WebPeer, web: Web, time: Time, status: int, kind: type[ExchangeError]
) -> None:
    peer.routes["/a"] = lambda asked: Answer(status)
    with pytest.raises(kind):
        web.request("GET", peer.url("/a"))
    assert time.slept == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_longer_and_longer_pauses(
    peer: WebPeer, web: Web, time: Time, status: int
) -> None:
    peer.routes["/a"] = answers(*[Answer(status)] * 3, Answer(200, b"at last"))
    assert web.request("GET", peer.url("/a")).body == b"at last"
    assert time.slept == [1, 2, 4]


def test_back_off_has_chance_in_it(peer: WebPeer) -> None:
    time = Time()
    peer.routes["/a"] = answers(*[Answer(503)] * 2, Answer(200))
    with Web(allow=HERE, clocks=time.clocks(chance=0.0)) as web:
        web.request("GET", peer.url("/a"))
    assert time.slept == [0.5, 1]


@pytest.mark.parametrize(("headers", "expected"), [
    ({"Retry-After": "7"}, 8),
    ({"Retry-After": "Thu, 01 Jan 2026 12:00:09 GMT", "Date": "Thu, 01 Jan 2026 12:00:00 GMT"}, 10),
    ({"Retry-After": "Thu, 01 Jan 2026 11:00:00 GMT"}, 1),
    ({"Retry-After": "soon"}, 1),
    ({"Retry-After": "-5"}, 1),
])
def test_the_servers_own_wish_counts_by_its_own_clock(
    peer: WebPeer, web: Web, time: Time, headers: dict[str, str], expected: float
) -> None:
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    busy = Answer(raw=f"HTTP/1.1 503 Busy\r\n{raw}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    peer.routes["/a"] = answers(busy, Answer(200))
    assert web.request("GET", peer.url("/a")).status == 200
    assert time.slept == [expected]


def test_waiting_ends_with_the_tries_or_with_the_whole_time(peer: WebPeer, time: Time) -> None:
    peer.routes["/a"] = lambda asked: Answer(503)
    peer.routes["/b"] = lambda asked: Answer(429, headers={"Retry-After": "86400"})
    with Web(allow=HERE, clocks=time.clocks(), patience=Patience(tries=3)) as web:
        with pytest.raises(BusyError, match="503"):
            web.request("GET", peer.url("/a"))
        assert (len(peer.asked), time.slept) == (3, [1, 2])
        with pytest.raises(BusyError, match="86,400 seconds") as told:
            web.request("GET", peer.url("/b"))
    assert (told.value.retry_after, time.slept) == (86_400, [1, 2])


BROKEN = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-made-up\r\n",
    "cut head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nonly",
    "wrong chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nonly",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_tried_again_and_then_told(peer: WebPeer, time: Time, raw: bytes) -> None:
    peer.routes["/a"] = answers(Answer(raw=raw), Answer(200, b"whole"))
    peer.routes["/b"] = lambda asked: Answer(raw=raw)
    with Web(allow=HERE, clocks=time.clocks(), patience=Patience(tries=2), limits=Limits(2, 2, 5)) as web:
        assert web.request("GET", peer.url("/a")).body == b"whole"
        with pytest.raises(UnavailableError, match=r"/b (doesn't answer|broke off)|answer of .*/b broke off"):
            web.request("GET", peer.url("/b"))


def test_what_must_not_be_sent_twice_is_sent_once(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = answers(Answer(raw=b""), Answer(200))
    peer.routes["/b"] = answers(Answer(504), Answer(200))
    for path in ("/a", "/b"):
        with pytest.raises(UnavailableError):
            web.request("POST", peer.url(path), json={})
    assert [asked.path for asked in peer.asked] == ["/a", "/b"]
    peer.routes["/a"] = answers(Answer(raw=b""), Answer(200))
    assert web.request("POST", peer.url("/a"), json={}, repeatable=True).status == 200


def test_a_connection_is_used_again_and_opened_anew_when_the_server_closed_it(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, b"x")
    ports = []
    for _ in range(2):
        web.request("GET", peer.url("/a"))
        ports.append(web._open[next(iter(web._open))].wire.socket.getsockname()[1])
    assert ports[0] == ports[1]
    web._open[next(iter(web._open))].wire.socket.close()
    assert web.request("GET", peer.url("/a")).body == b"x"


# -- limits


BOMB = gzip.compress(b"\0" * 30_000_000, mtime=0)


@pytest.mark.parametrize(("coding", "body"), [
    ("gzip", BOMB), ("deflate", zlib.compress(b"\0" * 30_000_000)), ("", b"\0" * 2_000_000),
    ("gzip", gzip.compress(b"\0" * 600_000, mtime=0) * 2),
])
def test_what_unpacks_to_too_much_is_refused_early(peer: WebPeer, web: Web, coding: str, body: bytes) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, body, {"Content-Encoding": coding} if coding else {})
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        web.request("GET", peer.url("/a"), limit=1_000_000)


def test_an_endless_body_is_refused(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, repeat(b"x" * 65_536))
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        web.request("GET", peer.url("/a"), limit=1_000_000)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x" * 5_000])
def test_a_packing_that_was_not_asked_for_is_refused(peer: WebPeer, web: Web, coding: str) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, b"\x0b\x02\x80", {"Content-Encoding": coding})
    with pytest.raises(InputError, match="packed as"):
        web.request("GET", peer.url("/a"))
    assert peer.asked[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("what", ["head", "body"])
def test_an_answer_that_trickles_ends_with_the_whole_time(peer: WebPeer, time: Time, what: str) -> None:
    import time as real

    def trickle() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: y" if what == "head" else b""
        while True:
            yield b"x"
            real.sleep(0.02)

    peer.routes["/a"] = lambda asked: Answer(200, raw=trickle()) if what == "head" else Answer(200, trickle())
    with Web(allow=HERE, clocks=time.clocks(), patience=Patience(tries=1), limits=Limits(2, 2, 0.2)) as web, \
            pytest.raises(UnavailableError, match="took too long"):
        web.request("GET", peer.url("/a"))


def test_silence_is_told(peer: WebPeer, time: Time) -> None:
    import time as real

    peer.routes["/a"] = lambda asked: (real.sleep(0.5), Answer(200))[1]
    with Web(allow=HERE, clocks=time.clocks(), patience=Patience(tries=1), limits=Limits(2, 0.1, 5)) as web, \
            pytest.raises(UnavailableError, match="took too long"):
        web.request("GET", peer.url("/a"))


# -- redirects


def test_redirects_within_a_server_keep_the_credential(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = lambda asked: Answer(302, headers={"Location": "b?x=1"})
    peer.routes["/b"] = lambda asked: Answer(200, b"there")
    reply = web.request("GET", peer.url("/a"), auth="lorem", headers={"X-Key": "ipsum"})
    assert (reply.body, reply.url) == (b"there", peer.url("/b"))
    assert (peer.asked[1].headers["authorization"], peer.asked[1].headers["x-key"]) == ("Bearer lorem", "ipsum")


def test_another_origin_is_told_no_credential_also_on_the_way_back(peer: WebPeer, web: Web) -> None:
    with WebPeer() as other:
        peer.routes["/a"] = lambda asked: Answer(307, headers={"Location": other.url("/b")})
        other.routes["/b"] = lambda asked: Answer(307, headers={"Location": peer.url("/c")})
        peer.routes["/c"] = lambda asked: Answer(200)
        web.request("GET", peer.url("/a"), auth="lorem", headers={
            "X-Key": "ipsum", "Cookie": "dolor", "Accept": "text/plain"})
    assert {"authorization", "x-key", "cookie"} <= peer.asked[0].headers.keys()
    for asked in (other.asked[0], peer.asked[1]):
        assert not {"authorization", "x-key", "cookie"} & asked.headers.keys()
        assert asked.headers["accept"] == "text/plain"


@pytest.mark.parametrize(("status", "method", "expected"), [
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"),
    (308, "POST", "POST"), (301, "HEAD", "HEAD"), (303, "HEAD", "HEAD"), (302, "PUT", "PUT"),
])
def test_the_method_follows_rfc_9110(peer: WebPeer, web: Web, status: int, method: str, expected: str) -> None:
    peer.routes["/a"] = lambda asked: Answer(status, headers={"Location": "/b"})
    peer.routes["/b"] = lambda asked: Answer(200)
    web.request(method, peer.url("/a"), body=None if method == "HEAD" else b"x")
    assert peer.asked[1].method == expected
    assert peer.asked[1].body == (b"x" if expected in ("POST", "PUT") else b"")


def test_a_body_is_not_sent_on_to_another_server(peer: WebPeer, web: Web) -> None:
    with WebPeer() as other:
        peer.routes["/a"] = lambda asked: Answer(307, headers={"Location": other.url("/b")})
        with pytest.raises(InputError, match="redirects what is sent to another server"):
            web.request("POST", peer.url("/a"), json={"token": "lorem"})
    assert other.asked == []


def test_five_redirects_and_no_more(peer: WebPeer, web: Web) -> None:
    peer.fallback = lambda asked: Answer(302, headers={"Location": f"/{int(asked.path[1:]) - 1}"})
    peer.routes["/0"] = lambda asked: Answer(200)
    assert web.request("GET", peer.url("/5")).status == 200
    with pytest.raises(InputError, match="more than 5 times"):
        web.request("GET", peer.url("/6"))


@pytest.mark.parametrize("target", [
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]/", "http://0x7f.1:{port}/",
    "http://2130706433/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://localhost.localdomain./",
])
def test_a_redirect_to_a_private_address_is_not_followed(peer: WebPeer, time: Time, target: str) -> None:
    """The peer itself stands on an address that is allowed; the targets aren't."""
    here = peer.url("/a").split(":")[2].split("/")[0]
    peer.routes["/a"] = lambda asked: Answer(302, headers={"Location": target.format(port=here)})

    def resolve(host: str, port: int) -> list[str]:
        return {"peer.example": ["127.0.0.1"], "localhost.localdomain.": ["127.0.0.2"],
                "127.0.0.1": ["127.0.0.9"]}.get(host, [host])

    with Web(allow=["127.0.0.1"], clocks=time.clocks(), resolve=resolve) as web, \
            pytest.raises(ForbiddenError, match="isn't on the public internet"):
        web.request("GET", peer.url("/a", host="peer.example"))
    assert len(peer.asked) == 1


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/", "gopher://a", "data:,x", "javascript:1",
                                    "http://", "http://a b/"])
def test_a_redirect_to_no_web_address_is_refused(peer: WebPeer, web: Web, target: str) -> None:
    peer.routes["/a"] = lambda asked: Answer(302, headers={"Location": target})
    with pytest.raises(InputError, match="no web address"):
        web.request("GET", peer.url("/a"))


# -- addresses


def test_the_checked_address_is_the_one_connected_to(peer: WebPeer, time: Time) -> None:
    """A resolver that answers with a public address first and a private one afterwards gains nothing."""
    said = iter([["192.0.2.1"], ["127.0.0.1"]])

    with Web(clocks=time.clocks(), plain_http=True, resolve=lambda host, port: next(said)) as web:
        for _ in range(2):
            with pytest.raises(ForbiddenError, match="isn't on the public internet"):
                web.request("GET", peer.url("/a", host="rebinding.example"))
    assert peer.asked == []


def test_of_several_addresses_only_permitted_ones_are_tried(peer: WebPeer, time: Time) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, asked.headers["host"].encode())
    with Web(allow=["127.0.0.1"], clocks=time.clocks(),
             resolve=lambda host, port: ["10.0.0.1", "127.0.0.5", "127.0.0.1"]) as web:
        assert web.request("GET", peer.url("/a", host="mixed.example")).body.startswith(b"mixed.example:")


def test_http_needs_leave_unless_the_network_is_allowed(time: Time) -> None:
    with Web(clocks=time.clocks(), resolve=lambda host, port: ["1.1.1.1"]) as web, \
            pytest.raises(ForbiddenError, match="without encryption"):
        web.request("GET", "http://a.example/")


def test_a_name_that_does_not_resolve_is_told(time: Time) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with Web(clocks=time.clocks(), resolve=resolve) as web, \
            pytest.raises(UnavailableError, match=r"missing\.example can't be found"):
        web.request("GET", "https://missing.example/")


@pytest.mark.parametrize("url", ["https://user:lorem@a.example/", "a.example", "file:///x", "https://", "", "https://a b"])
def test_an_address_that_is_none_is_refused_without_its_password(web: Web, url: str) -> None:
    with pytest.raises(InputError) as told:
        web.request("GET", url)
    assert "lorem" not in str(told.value)


@pytest.mark.parametrize("header", ["a\r\nX: y", "a\nb", "\0"])
def test_a_secret_with_a_line_break_is_refused_before_it_is_sent(web: Web, header: str) -> None:
    with pytest.raises(InputError, match="Authorization"):
        web.request("GET", "http://127.0.0.1:1/", auth=header)


# -- secrets


def test_no_error_repeats_a_secret(peer: WebPeer, time: Time) -> None:
    secret = "lorem-ipsum-dolor"
    peer.fallback = lambda asked: Answer(503 if asked.path == "/busy/" + secret else 302,
                                         headers={"Location": f"/{secret}?k={secret}"})
    with Web(allow=HERE, clocks=time.clocks(), hide=[secret], patience=Patience(tries=1)) as web:
        for path in (f"/a?token={secret}", f"/busy/{secret}"):
            with pytest.raises(ExchangeError) as told:
                web.request("GET", peer.url(path))
            assert secret not in str(told.value)
            assert secret not in repr(told.value.args)


def test_pages_for_people_are_no_json(peer: WebPeer, web: Web) -> None:
    peer.routes["/a"] = lambda asked: Answer(200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(InputError, match=r"/a doesn't answer with JSON \(text/html\)"):
        web.request("GET", peer.url("/a")).json()


def test_requests_keep_the_pace_that_was_asked(peer: WebPeer, time: Time) -> None:
    peer.routes["/a"] = lambda asked: Answer(200)
    with Web(allow=HERE, clocks=time.clocks(), per_second=4) as web:
        for _ in range(3):
            web.request("GET", peer.url("/a"))
    assert time.slept == [0.25, 0.25]


# -- streams of lines


def read_stream(web: Web, url: str, **more: Any) -> list[bytes]:
    with web.stream(url, **more) as found:
        return list(found)


@pytest.mark.parametrize(("pieces", "expected"), [
    ([b"a\nb\r\nc\rd"], [b"a", b"b", b"c", b"d"]),
    ([b"a\r", b"\nb"], [b"a", b"b"]),
    ([b"a\r", b"b"], [b"a", b"b"]),
    ([b"da", b"ta: 1", b"\n", b"\n"], [b"data: 1", b""]),
    ([b"a\r", b"\n", b"\nb\n"], [b"a", b"", b"b"]),
    ([], []),
])
def test_lines_come_without_their_ends(peer: WebPeer, web: Web, pieces: list[bytes], expected: list[bytes]) -> None:
    peer.routes["/s"] = lambda asked: Answer(200, iter(pieces))
    assert read_stream(web, peer.url("/s")) == expected


def test_a_line_comes_before_the_stream_ends_and_leaving_it_ends_it(peer: WebPeer, web: Web) -> None:
    peer.routes["/s"] = lambda asked: Answer(200, repeat(b"event: made-up\n"))
    with web.stream(peer.url("/s")) as found:
        assert [next(found) for _ in range(3)] == [b"event: made-up"] * 3


def test_lines_of_a_chunked_stream_come_as_they_are_sent(peer: WebPeer, web: Web) -> None:
    import threading

    read = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        yield b"9\r\nid: 1-0\n\n\r\n3\r\nda"
        assert read.wait(2)  # the first lines are there before the chunk with the next one is whole
        yield b"t\r\n4\r\na: 2\r\n0\r\n\r\n"

    peer.routes["/s"] = lambda asked: Answer(raw=chunks())
    with web.stream(peer.url("/s")) as found:
        assert [next(found), next(found)] == [b"id: 1-0", b""]
        read.set()
        assert list(found) == [b"data: 2"]


def test_a_line_without_end_is_refused(peer: WebPeer, web: Web) -> None:
    peer.routes["/s"] = lambda asked: Answer(200, repeat(b"x" * 65_536))
    with pytest.raises(InputError, match="longer than 1,000,000 bytes"):
        read_stream(web, peer.url("/s"), limit=1_000_000)


def test_a_packed_line_without_end_is_refused(peer: WebPeer, web: Web) -> None:
    peer.routes["/s"] = lambda asked: Answer(200, BOMB, {"Content-Encoding": "gzip"})
    with pytest.raises(InputError, match="longer than 1,000,000 bytes"):
        read_stream(web, peer.url("/s"), limit=1_000_000)


def test_a_stream_that_falls_silent_is_told(peer: WebPeer, web: Web) -> None:
    import time as real

    def silence() -> Iterator[bytes]:
        yield b"one\n"
        real.sleep(0.6)

    peer.routes["/s"] = lambda asked: Answer(200, silence())
    with web.stream(peer.url("/s"), idle_seconds=0.15) as found:
        assert next(found) == b"one"
        with pytest.raises(UnavailableError, match="broke off"):
            next(found)


def test_opening_a_stream_is_tried_again_and_a_missing_one_is_told(peer: WebPeer, web: Web, time: Time) -> None:
    peer.routes["/s"] = answers(Answer(503), Answer(200, b"a\n"))
    assert read_stream(web, peer.url("/s")) == [b"a"]
    assert time.slept == [1]
    with pytest.raises(InputError, match="/missing answered 404"):
        read_stream(web, peer.url("/missing"))


def test_asked_tells_what_was_sent(peer: WebPeer, web: Web) -> None:
    peer.routes["/s"] = lambda asked: Answer(200)
    read_stream(web, peer.url("/s"), headers={"Last-Event-ID": "7-0"}, auth="lorem")
    asked: Asked = peer.asked[0]
    assert (asked.headers["last-event-id"], asked.headers["authorization"]) == ("7-0", "Bearer lorem")
