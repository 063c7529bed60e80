"""TAXII 2.1, 3.6 and 1.6.5-1.6.6: every error is a TAXII error message; authentication comes first."""

from __future__ import annotations

import base64
import gzip
import re

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import TAXII, HttpCaller, assert_taxii_error, basic, envelope, parsed, raw_exchange
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import indicator

SETTINGS = {"CIBX_MAX_CONTENT_LENGTH": "100000"}
OBJECTS = "/taxii2/main/collections/indicators/objects/"
MANIFEST = "/taxii2/main/collections/indicators/manifest/"

UNKNOWN_PATHS = [
    "/",
    "/taxii",
    "/taxii/",
    "/taxii2/nothing/",
    "/taxii2/main/nothing/",
    "/robots.txt",
    "//",
    "/taxii2/main/collections/indicators/nothing/",
    "/taxii2/main/collections/nothing/objects/",
    "/taxii2/main/status/",
    "/TAXII2/",
    "/taxii2/main//collections/",
    "/static/x",
    "/taxii2/main/collections/%20/",
    "/taxii2/main/collections/indicators/objects/indicator--1/nothing/",
    "/admin",
    "/taxii2/../etc/passwd",
    "/taxii2/main/collections/INDICATORS/",
]
METHODS_NOT_ALLOWED = [
    (method, path)
    for path, methods in {
        "/taxii2/": ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FROB"),
        "/taxii2/main/": ("POST", "PUT", "DELETE"),
        "/taxii2/main/status/11111111-1111-4111-8111-111111111111/": ("POST", "PUT", "DELETE"),
        "/taxii2/main/collections/": ("POST", "PUT", "DELETE"),
        "/taxii2/main/collections/indicators/": ("POST", "PUT", "DELETE", "PATCH"),
        OBJECTS: ("PUT", "DELETE", "PATCH", "OPTIONS", "FROB"),
        MANIFEST: ("POST", "PUT", "DELETE"),
        OBJECTS + "indicator--1/": ("POST", "PUT", "PATCH"),
        OBJECTS + "indicator--1/versions/": ("POST", "PUT", "DELETE"),
    }.items()
    for method in methods
]


@pytest.mark.parametrize("path", UNKNOWN_PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_a_taxii_404(alpha: HttpCaller, path: str, method: str) -> None:
    headers = {"Content-Type": TAXII} if method == "POST" else {}
    answer = alpha.ask(method, path, headers=headers, body=b"{}" if method == "POST" else None)
    assert_taxii_error(answer, *((404,) if method == "GET" else (404, 405)))


@pytest.mark.parametrize(("method", "path"), METHODS_NOT_ALLOWED)
def test_a_method_that_a_path_does_not_have_is_a_taxii_405(alpha: HttpCaller, method: str, path: str) -> None:
    answer = alpha.ask(method, path, headers={"Content-Type": TAXII}, body=b"{}")
    assert_taxii_error(answer, 405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *METHODS_NOT_ALLOWED,
        *(("GET", path) for path in UNKNOWN_PATHS),
        ("POST", OBJECTS),
        ("HEAD", OBJECTS),
        ("DELETE", OBJECTS + "indicator--1/"),
        ("GET", OBJECTS + "?limit=0"),
        ("GET", OBJECTS + "?match[type]="),
    ],
)
def test_without_a_credential_every_path_and_method_is_401(nobody: HttpCaller, method: str, path: str) -> None:
    answer = nobody.ask(method, path, headers={"Content-Type": "text/plain"}, body=b"no JSON", accept="text/html")
    assert answer.status == 401
    assert "Basic" in answer.headers["www-authenticate"]
    if method != "HEAD":
        assert_taxii_error(answer, 401)


def b64(text: str | bytes) -> str:
    """Base64 of a text for a Basic header."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


GOOD = basic("alpha", SECRETS["alpha"])
BAD_CREDENTIALS = {
    "empty": "",
    "scheme alone": "Basic",
    "scheme and space": "Basic ",
    "no base64": "Basic !!!!",
    "no colon": "Basic " + b64("alpha"),
    "empty password": "Basic " + b64("somebody-a:"),
    "wrong password": basic("somebody-b", "wrong"),
    "unknown user": basic("nobody-here", "x" * 40),
    "not UTF-8": "Basic " + b64(b"\xff\xfe:\xff"),
    "NUL": "Basic " + b64("somebody-c\x00:x"),
    "another scheme": "Digest username=alpha",
    "bearer nothing": "Bearer ",
    "bearer nonsense": "Bearer x.y.z",
    "bearer with basic's value": "Bearer " + GOOD[6:],
    "huge": "Basic " + "QUFB" * 1_500,
    "secret of another": basic("beta", SECRETS["alpha"]),
    "with more after it": GOOD + " x",
    "expired": basic("expired", SECRETS["expired"]),
    "revoked": basic("revoked", SECRETS["revoked"]),
    "user in capitals": basic("ALPHA", SECRETS["alpha"]),
    "newline": basic("somebody-d", "a\nb"),
    "SQL": basic("' OR 1=1 --", "x"),
    "user without name": basic("", SECRETS["alpha"]),
}


@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_a_wrong_credential_is_401_with_a_challenge(exchange: ExchangeProcess, name: str) -> None:
    caller = exchange.caller(source="127.0.0.9")
    answer = caller.get("/taxii2/", headers={"Authorization": BAD_CREDENTIALS[name]})
    caller.close()
    assert_taxii_error(answer, 401)
    assert "Basic" in answer.headers["www-authenticate"]


def test_all_wrong_credentials_get_the_same_answer(exchange: ExchangeProcess) -> None:
    caller = exchange.caller(source="127.0.0.10")
    answers = {
        caller.get("/taxii2/", headers={"Authorization": BAD_CREDENTIALS[name]}).body
        for name in ("unknown user", "secret of another", "expired", "revoked")
    }
    assert len(answers) == 1


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic"])
def test_the_scheme_of_authentication_is_read_in_any_case(nobody: HttpCaller, scheme: str) -> None:
    assert nobody.get("/taxii2/", headers={"Authorization": scheme + GOOD[5:]}).status == 200


def big(size: int) -> bytes:
    """An envelope of exactly ``size`` bytes."""
    empty = len(envelope([indicator("big", description="")]))
    return envelope([indicator("big", description="x" * (size - empty))])


def test_a_body_of_the_largest_size_is_taken_and_a_byte_more_is_413(alpha: HttpCaller, lane: str) -> None:
    assert len(big(100_000)) == 100_000
    assert alpha.post(lane + "objects/", big(100_000)).status == 202
    assert_taxii_error(alpha.post(lane + "objects/", big(100_001)), 413)


def test_the_limit_holds_for_chunked_bodies(alpha: HttpCaller, lane: str) -> None:
    def parts(size: int) -> list[bytes]:
        return [big(size)[at : at + 7_000] for at in range(0, size, 7_000)]

    taken = alpha.post(lane + "objects/", parts(90_000), chunked=True)
    assert taken.status == 202
    assert taken.json["success_count"] == 1
    assert_taxii_error(alpha.post(lane + "objects/", parts(120_000), chunked=True), 413)


@pytest.mark.parametrize("size", [100_001, 5_000_000])
def test_the_limit_holds_for_what_gzip_hides(alpha: HttpCaller, lane: str, size: int) -> None:
    packed = gzip.compress(big(size))
    assert len(packed) < 20_000
    answer = alpha.post(lane + "objects/", packed, headers={"Content-Encoding": "gzip"})
    assert_taxii_error(answer, 413, 415)


@pytest.mark.parametrize("body", [b"", b"abc", gzip.compress(b'{"objects":[]}', mtime=0)[:-5], gzip.compress(b"{}", mtime=0) + b"x"])
def test_broken_gzip_is_a_clear_error(alpha: HttpCaller, lane: str, body: bytes) -> None:
    answer = alpha.post(lane + "objects/", body, headers={"Content-Encoding": "gzip"})
    assert_taxii_error(answer, 400, 415, 422)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "nonsense"])
def test_another_content_coding_is_415(alpha: HttpCaller, lane: str, coding: str) -> None:
    answer = alpha.push(lane + "objects/", [indicator()], headers={"Content-Encoding": coding})
    assert_taxii_error(answer, 415)


AUTH = f"Authorization: {GOOD}\r\nAccept: {TAXII}\r\n"
HEAD = f"Host: x\r\n{AUTH}"
PUSH = f"POST {OBJECTS} HTTP/1.1\r\n{HEAD}Content-Type: {TAXII}\r\n"
MALFORMED = {
    "no HTTP": "GARBAGE\r\n\r\n",
    "no version": "GET /taxii2/\r\n\r\n",
    "HTTP/9.9": f"GET / HTTP/9.9\r\n{HEAD}\r\n",
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no colon": f"GET / HTTP/1.1\r\n{HEAD}Nonsense\r\n\r\n",
    "space before colon": f"GET / HTTP/1.1\r\n{HEAD}X-A : b\r\n\r\n",
    "space in name": f"GET / HTTP/1.1\r\n{HEAD}X A: b\r\n\r\n",
    "empty name": f"GET / HTTP/1.1\r\n{HEAD}: b\r\n\r\n",
    "long target": f"GET /{'a' * 70_000} HTTP/1.1\r\n{HEAD}\r\n",
    "long header": f"GET / HTTP/1.1\r\n{HEAD}X: {'a' * 70_000}\r\n\r\n",
    "many headers": f"GET / HTTP/1.1\r\n{HEAD}{''.join(f'X-{n}: 1{chr(13)}{chr(10)}' for n in range(3_000))}\r\n",
    "NUL in header": f"GET / HTTP/1.1\r\n{HEAD}X-A: a\x00b\r\n\r\n",
    "bare CR in header": f"GET / HTTP/1.1\r\n{HEAD}X-A: a\rb\r\n\r\n",
    "folded header": f"GET / HTTP/1.1\r\n{HEAD}X-A: a\r\n  b\r\n\r\n",
    "length is no number": f"{PUSH}Content-Length: abc\r\n\r\n{{}}",
    "negative length": f"{PUSH}Content-Length: -1\r\n\r\n{{}}",
    "signed length": f"{PUSH}Content-Length: +2\r\n\r\n{{}}",
    "two lengths": f"{PUSH}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}x",
    "list of lengths": f"{PUSH}Content-Length: 2, 3\r\n\r\n{{}}x",
    "length and chunks": f"{PUSH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": f"{PUSH}Transfer-Encoding: nonsense\r\n\r\n0\r\n\r\n",
    "chunked twice": f"{PUSH}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": f"{PUSH}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "coding with a tab": f"{PUSH}Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": PUSH.replace("HTTP/1.1", "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": f"{PUSH}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{{}}\r\n0\r\n\r\n",
    "negative chunk": f"{PUSH}Transfer-Encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n",
    "huge chunk": f"{PUSH}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{{}}\r\n0\r\n\r\n",
    "chunk without end": f"{PUSH}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}XX0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_http_is_refused_as_a_taxii_error(exchange: ExchangeProcess, alpha: HttpCaller, name: str) -> None:
    received = raw_exchange(exchange.port, MALFORMED[name].encode("latin-1"), half_close=True)
    assert received, "closed without a word"
    answer = parsed(received)
    assert_taxii_error(answer, 400, 404, 411, 413, 414, 417, 431, 501, 505)
    assert alpha.get("/taxii2/").status == 200


@pytest.mark.parametrize(
    "name",
    [
        "length and chunks",
        "two lengths",
        "list of lengths",
        "chunked twice",
        "chunks in HTTP/1.0",
        "bad chunk size",
        "chunk without end",
        "huge chunk",
    ],
)
def test_after_ambiguous_framing_nothing_more_is_read_from_the_connection(exchange: ExchangeProcess, name: str) -> None:
    smuggled = f"GET /taxii2/main/ HTTP/1.1\r\n{HEAD}\r\n"
    received = raw_exchange(exchange.port, (MALFORMED[name] + smuggled).encode("latin-1"), half_close=True)
    assert b"Community main" not in received
    assert len(re.findall(rb"HTTP/1\.1 [0-9]{3} ", received)) <= 1


@pytest.mark.parametrize("host", ["", "a b", "evil.example/x", "[::1", '"><script>', "x" * 300, "x:99999", "ü"])
def test_a_strange_host_is_no_server_fault(exchange: ExchangeProcess, host: str) -> None:
    sent = f"GET /taxii2/ HTTP/1.1\r\nHost: {host}\r\n{AUTH}Connection: close\r\n\r\n".encode("latin-1")
    answer = parsed(raw_exchange(exchange.port, sent))
    assert answer.status < 500
    assert answer.headers["content-type"] == TAXII
    assert b"<script>" not in answer.body


@pytest.mark.parametrize(
    "header",
    [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/healthz"),
        ("X-Rewrite-URL", "/healthz"),
        ("X-Forwarded-Prefix", "/x"),
        ("X-Forwarded-User", "alpha"),
        ("Remote-User", "alpha"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Range", "bytes=0-1"),
        ("If-None-Match", "*"),
        ("Expect", "100-continue"),
    ],
)
def test_headers_that_other_servers_trust_change_nothing(
    alpha: HttpCaller, nobody: HttpCaller, header: tuple[str, str]
) -> None:
    plain = alpha.get(OBJECTS)
    asked = alpha.get(OBJECTS, headers=[header])
    assert (asked.status, asked.body) == (plain.status, plain.body)
    assert nobody.get(OBJECTS, headers=[header]).status == 401


@pytest.mark.parametrize(
    "query",
    [
        "next=%0d%0aX-Evil:%201",
        "limit=1%0d%0aX-Evil:%201",
        "match[id]=%0d%0aX-Evil:1",
        "%0d%0aX-Evil=1",
        "added_after=%0aX-Evil:1",
    ],
)
def test_line_ends_in_a_query_never_reach_a_header(alpha: HttpCaller, query: str) -> None:
    answer = alpha.get(OBJECTS, query)
    assert answer.status in {200, 400}
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "object_id",
    [
        "%2e%2e",
        "%2e%2e%2f%2e%2e",
        "..;",
        "%00",
        "indicator--1%00",
        "//",
        "%2f",
        "%ff%fe",
        "indicator--%E2%80%AE",
        "a" * 6_000,
        "*",
        "%25",
        "%",
        "%zz",
        "%0d%0a",
        "indicator--1%2fversions",
        "%F0%9F%92%A9",
        "%27%20OR%201=1",
        "%3Cscript%3E",
        "indicator--1;v=2",
        "%5c..%5c",
        "INDICATOR--1",
        "%20",
        "~root",
        "$(id)",
        "{{7*7}}",
        "%E0%80%AF",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("rest", ["", "versions/"])
def test_path_tricks_find_nothing(alpha: HttpCaller, method: str, object_id: str, rest: str) -> None:
    answer = alpha.ask(method, f"{OBJECTS}{object_id}/{rest}")
    assert_taxii_error(answer, 400, 404, 405)
    assert b"<script>" not in answer.body


def test_the_server_wrote_no_traceback(exchange: ExchangeProcess) -> None:
    assert "Traceback" not in exchange.log()
