"""What a server answers becomes pages that end, or an error of its kind in the server's own words; the credential stays with one server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.client import Client as Session
from exchange.client.notices import Notices
from exchange.client.push import Pushing
from exchange.client.taxii import Client
from exchange.errors import (
    ExchangeError,
    ForbiddenError,
    InputError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnprocessableError,
)
from exchange.model.credential import issue
from tests.fakes.web_peer import Answer, Asked, WebPeer

MEDIA = {"Content-Type": "application/taxii+json;version=2.1"}
PLACE = "/root/collections/c1/"


@pytest.fixture(scope="module")
def running() -> Iterator[WebPeer]:
    with WebPeer() as peer:
        yield peer


@pytest.fixture
def peer(running: WebPeer) -> WebPeer:
    running.routes, running.fallback = {}, lambda asked: Answer(404)
    running.asked.clear()
    return running


def told(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {**MEDIA, **headers})


@pytest.mark.parametrize(("status", "kind", "remedy"), [
    (401, UnauthorizedError, "Check the credential"), (403, ForbiddenError, "gives rights"),
    (404, NotFoundError, "/taxii2/"), (413, TooLargeError, ""), (422, UnprocessableError, ""), (429, UnavailableError, ""),
    (500, UnavailableError, ""), (302, UnavailableError, ""), (202, UnavailableError, ""), (204, UnavailableError, ""),
])
def test_a_status_is_an_error_of_its_kind(peer: WebPeer, status: int, kind: type[ExchangeError], remedy: str) -> None:
    peer.routes[PLACE + "objects/"] = lambda _: told({"title": "Lorem."}, status, Location="http://b.example/")
    with pytest.raises(kind) as refused:
        list(Client(peer.url(PLACE), token="t").pages())
    assert type(refused.value) is kind
    reason = "no reason given" if status == 204 else "Lorem"
    assert refused.value.what == f"{peer.url(PLACE)}objects/ answered {status}: {reason}."
    assert remedy in refused.value.fix
    assert bool(remedy) == bool(refused.value.fix)


@pytest.mark.parametrize(("body", "words"), [
    (b'{"title": "Lorem. ", "description": " Ipsum."}', "Lorem. Ipsum."),
    (b'{"description": "Ipsum"}', "Ipsum."),
    (b'{"title": 7}', "7."),
    (b'{"title": "a\\u001b[31m\\nb"}', "a [31m b."),
    (b"[]", "no reason given."), (b"<html>", "no reason given."), (b"", "no reason given."), (b"{}", "no reason given."),
    (json.dumps({"title": "x" * 501}).encode(), "x" * 500 + "."),
])
def test_a_refusal_is_told_in_the_servers_printable_words(peer: WebPeer, body: bytes, words: str) -> None:
    peer.routes[PLACE + "objects/"] = lambda _: Answer(400, body, MEDIA)
    with pytest.raises(UnavailableError) as refused:
        list(Client(peer.url(PLACE), token="t").pages())
    assert refused.value.what == f"{peer.url(PLACE)}objects/ answered 400: {words}"


@pytest.mark.parametrize(("headers", "words"), [({}, "no media type"), ({"Content-Type": "text/html"}, "text/html")])
def test_what_is_no_taxii_is_told(peer: WebPeer, headers: dict[str, str], words: str) -> None:
    peer.routes["/root/"] = lambda _: Answer(200, b"{}", headers)
    with pytest.raises(UnavailableError, match=rf"isn't TAXII 2\.1: it answers with {words}"):
        Client(peer.url("/root/"), token="t").collection_url()


def test_a_server_without_tls_asked_with_it_is_told_with_a_remedy(peer: WebPeer) -> None:
    with pytest.raises(UnavailableError, match=r"doesn't answer: SSLError\. Check that the server's certificate is valid"):
        Client(peer.url("/").replace("http:", "https:"), token="t").collection_url()


@pytest.mark.parametrize("root", ["http://other.example/root/", "//other.example/root/", "https://127.0.0.1/root/"])
def test_the_credential_is_sent_to_no_other_server(peer: WebPeer, root: str) -> None:
    peer.routes["/taxii2/"] = lambda _: told({"title": "t", "api_roots": [root]})
    with pytest.raises(ExchangeError, match=r"points to another server: .*isn't sent there"):
        Client(peer.url("/taxii2/"), token="t").collection_url()
    assert [asked.path for asked in peer.asked] == ["/taxii2/"]


LISTING = {"collections": [
    {"id": "c1", "title": "Lorem", "alias": "lorem", "can_read": True, "can_write": False},
    {"id": "c2", "title": "Ipsum", "can_read": True, "can_write": True},
    {"id": "c3", "title": "Dolor", "can_read": False, "can_write": True},
]}


@pytest.mark.parametrize("start", ["/", "/taxii2/", "/taxii2", "/root/", "/root"])
@pytest.mark.parametrize(("name", "found"), [("c1", "c1"), ("lorem", "c1"), ("Ipsum", "c2"), ("c3", None), ("none", None), (None, None)])
def test_a_collection_is_found_by_id_alias_or_title_wherever_one_begins(
    peer: WebPeer, start: str, name: str | None, found: str | None
) -> None:
    peer.routes["/taxii2/"] = lambda _: told({"title": "t", "api_roots": ["/root"]})
    peer.routes["/root/"] = lambda _: told({"title": "r", "versions": []})
    peer.routes["/root/collections/"] = lambda _: told(LISTING)
    client = Client(peer.url(start), token="t")
    if found:
        assert client.collection_url(name) == peer.url(f"/root/collections/{found}/")
    else:
        sentence = f"has no collection '{name}'" if name else "has more than one collection"
        with pytest.raises(NotFoundError, match=f"{sentence} that you may read.*lorem, c2"):
            client.collection_url(name)


def test_without_a_name_the_only_one_with_that_right_is_taken(peer: WebPeer) -> None:
    peer.routes["/root/"] = lambda _: told({"title": "r"})
    peer.routes["/root/collections/"] = lambda _: told({"collections": LISTING["collections"][:2]})
    client = Client(peer.url("/root/"), token="t")
    assert client.collection_url(right="can_write") == peer.url("/root/collections/c2/")
    peer.routes["/taxii2/"] = lambda _: told({"title": "t", "api_roots": ["/root/"]})
    peer.routes["/root/collections/"] = lambda _: told({"collections": LISTING["collections"][:1]})
    assert Client(peer.url("/taxii2/"), token="t").collection_url() == peer.url("/root/collections/c1/")
    assert Client(peer.url("/any/collections/c9"), token="t").collection_url("c1") == peer.url("/any/collections/c9/")


def test_a_server_with_a_path_that_is_not_there_is_not_looked_for_elsewhere(peer: WebPeer) -> None:
    with pytest.raises(NotFoundError):
        Client(peer.url("/other/"), token="t").collection_url()
    assert [asked.path for asked in peer.asked] == ["/other/"]


@pytest.mark.parametrize(("count", "ends"), [(20, r"c18, c19\."), (21, r"c18, c19 and 1 more\."), (22, r"c18, c19 and 2 more\.")])
def test_of_many_collections_twenty_are_named(peer: WebPeer, count: int, ends: str) -> None:
    peer.routes["/root/"] = lambda _: told({"title": "r"})
    peer.routes["/root/collections/"] = lambda _: told({"collections": [{"id": f"c{n}", "can_read": True} for n in range(count)]})
    with pytest.raises(NotFoundError, match=ends):
        Client(peer.url("/root/"), token="t").collection_url()


def pages(peer: WebPeer, *answers: tuple[dict[str, Any], str | None]) -> list[dict[str, list[str]]]:
    """Answers of a collection, one after the other (the last for ever); the queries as they come."""
    queries: list[dict[str, list[str]]] = []

    def answer(asked: Asked) -> Answer:
        queries.append(dict(asked.query))
        assert len(queries) < 20, "it never ends"
        said, last = answers[min(len(queries), len(answers)) - 1]
        return told(said, **({} if last is None else {"X-TAXII-Date-Added-Last": last}))

    peer.routes[PLACE + "objects/"] = peer.routes[PLACE + "manifest/"] = answer
    return queries


A, B = {"id": "a"}, {"id": "b"}
PAGINGS = [
    # answers, objects, queries without the start's
    ([({"objects": [A]}, "1")], [A], [{}]),
    ([({}, None)], [], [{}]),
    ([({"objects": [A], "more": False, "next": "n"}, "1")], [A], [{}]),
    ([({"objects": [A], "more": True, "next": "n"}, "1"), ({"objects": [B]}, "2")], [A, B], [{}, {"next": ["n"]}]),
    ([({"objects": [A], "more": True}, "1"), ({"objects": [B]}, "2")], [A, B], [{}, {"added_after": ["1"]}]),
    ([({"more": True, "next": "n"}, None), ({"objects": [B]}, "2")], [B], [{}, {"next": ["n"]}]),
    ([({"objects": [A], "more": True}, None)], [A], [{}]),  # nowhere to go on
    ([({"objects": [A], "more": True, "next": "n"}, "1")], [A, A], [{}, {"next": ["n"]}]),  # it repeats itself
    ([({"objects": [A], "more": True}, "1")], [A, A], [{}, {"added_after": ["1"]}]),
]


@pytest.mark.parametrize(("answers", "objects", "queries"), PAGINGS)
def test_pages_go_on_by_next_else_by_the_date_and_end_where_neither_leads_on(
    peer: WebPeer, answers: Any, objects: list[Any], queries: list[dict[str, list[str]]]
) -> None:
    asked = pages(peer, *answers)
    client = Client(peer.url(PLACE), token="t")
    assert list(client.objects()) == objects
    assert asked == queries
    asked.clear()
    assert [one for page in client.manifest(peer.url(PLACE)) for one in page] == objects
    assert asked == queries


def test_what_was_asked_for_at_the_start_is_asked_for_on_each_page(peer: WebPeer) -> None:
    client = Client(peer.url(PLACE), token="t")
    asked = pages(peer, ({"objects": [A], "more": True, "next": "n"}, "1"), ({"objects": [B], "more": True}, "2"), ({}, None))
    found = list(client.pages(added_after="0", ids=["a", "b"]))
    assert [(page.objects, page.last_added) for page in found] == [([A], "1"), ([B], "2")]
    wanted = {"match[id]": ["a,b"]}
    assert asked == [{**wanted, "added_after": ["0"]}, {**wanted, "added_after": ["0"], "next": ["n"]},
                     {**wanted, "added_after": ["2"]}]
    asked.clear()
    pages(peer, ({}, None))
    assert list(Client(peer.url("/"), token="t").pages(peer.url(PLACE))) == []


TOKEN = issue("key-7", bytes(32)).token


@pytest.mark.parametrize(("credential", "header", "member"), [
    ({"token": TOKEN}, f"Bearer {TOKEN}", "key-7"),
    ({"token": "other"}, "Bearer other", ""),
    ({"user": "ana", "password": "lorem"}, "Basic " + base64.b64encode(b"ana:lorem").decode(), "ana"),
    ({"user": "ana"}, "Basic " + base64.b64encode(b"ana:").decode(), "ana"),
    ({}, None, ""),
])
def test_the_credential_is_sent_as_it_is_meant(peer: WebPeer, credential: dict[str, str], header: str | None, member: str) -> None:
    asked = pages(peer, ({}, None))
    client = Client(peer.url(PLACE), **credential)
    assert list(client.pages()) == []
    assert peer.asked[0].headers.get("authorization") == header
    assert peer.asked[0].method == "GET"
    assert peer.asked[0].headers["accept"] == MEDIA["Content-Type"]
    assert client.member == member
    assert asked == [{}]


def test_files_of_a_client_certificate_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "cert").touch()
    with pytest.raises(InputError, match=r"key of the client certificate can't be read: No such file"):
        Client("https://a.example/", certificate=(tmp_path / "cert", tmp_path / "key"))


@pytest.mark.parametrize("answer", [
    Answer(401), Answer(403), Answer(404), Answer(503), Answer(200, b"lorem"), Answer(200, b"[]"), Answer(200, b'{"records": 7}'),
])
def test_a_server_that_tells_no_records_tells_none(peer: WebPeer, answer: Answer) -> None:
    peer.routes["/api/v1/records"] = lambda _: answer
    assert Client(peer.url(PLACE), token="t").records() is None
    peer.routes["/api/v1/records"] = lambda _: told({"records": [1]})
    assert Client(peer.url(PLACE), token="t").records() == {"records": [1]}


def test_what_is_written_goes_with_the_media_type_of_taxii(peer: WebPeer) -> None:
    peer.fallback = lambda asked: told({}, 202 if asked.method == "POST" else 200)
    client = Client(peer.url(PLACE), token="t")
    assert client.post("objects/", b"{}").status_code == 202
    client.delete("objects/a/")
    assert [(a.method, a.path, a.headers.get("content-type")) for a in peer.asked] == [
        ("POST", PLACE + "objects/", MEDIA["Content-Type"]), ("DELETE", PLACE + "objects/a/", None)]
    peer.fallback = lambda asked: Answer(202)
    with pytest.raises(UnavailableError, match="answered 202"):
        client.delete("objects/a/")


def test_the_session_pushes_markings_first_and_tells_fates(peer: WebPeer) -> None:
    bodies: list[Any] = []

    def take(asked: Asked) -> Answer:
        bodies.extend(json.loads(asked.body)["objects"])
        return told({"total_count": 2, "failures": [{"id": "x--1", "message": "no"}]}, 202)

    peer.routes["/root/"] = lambda _: told({"title": "r"})
    peer.routes[PLACE + "objects/"] = take
    (fate,) = Session(peer.url(PLACE), token="t").push([{"id": "x--1", "type": "x"}, {"id": "m--1", "type": "marking-definition"}])
    assert (fate.id, fate.refused, fate.message) == ("x--1", True, "no")
    assert [one["id"] for one in bodies] == ["m--1", "x--1"]


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'"audiences"'])
def test_a_preview_that_is_none_is_told(peer: WebPeer, answer: bytes) -> None:
    peer.routes["/root/"] = lambda _: told({"title": "r", "max_content_length": 40})
    peer.routes["/api/v1/previews"] = lambda asked: told({"audiences": asked.query["collection"]})
    pushing = Pushing(Client(peer.url(PLACE), token="t"), None)
    assert list(pushing.preview([b'{"id":"a--1234567"}', b'{"id":"b--1234567"}'])) == [{"audiences": ["c1"]}] * 2
    peer.routes["/api/v1/previews"] = lambda _: Answer(200, answer, MEDIA)
    with pytest.raises(UnavailableError, match="preview can't be read"):
        list(pushing.preview([b"{}"]))


def desk(peer: WebPeer) -> Notices:
    return Client(peer.url("/deep/collections/c1/?x=1"), token="t").notices()


def test_notices_are_those_of_the_servers_own_interface(peer: WebPeer) -> None:
    peer.routes["/api/v1/notices"] = lambda asked: told({"notices": [
        {"id": "n1", "kind": "erasure", "objects": [{"id": "a--1"}, {"id": "b--2"}]},
        {"id": "n2", "kind": "correction", "objects": [{"id": "c--3"}]}] if asked.query == {"show": ["all"]} else []})
    assert desk(peer).awaited() == []
    assert desk(peer).erased() == ["a--1", "b--2"]
    peer.fallback = lambda asked: told({"path": asked.path, "body": json.loads(asked.body)})
    assert desk(peer).acknowledge("a/../b", done=False, statement="lorem") == {
        "path": "/api/v1/notices/a%2F..%2Fb/acknowledgement", "body": {"done": False, "statement": "lorem"}}


@pytest.mark.parametrize(("status", "body", "kind", "words"), [
    (401, {}, UnauthorizedError, "answered 401: no reason given"), (403, {"title": "a"}, ForbiddenError, "answered 403: a"),
    (404, {"title": "a", "description": "b"}, NotFoundError, "answered 404: b"), (500, {}, UnavailableError, "answered 500"),
    (200, [], UnavailableError, "answered 200: no reason given"), (302, {}, UnavailableError, "answered 302"),
])
def test_notices_that_are_refused_are_an_error_of_its_kind(
    peer: WebPeer, status: int, body: Any, kind: type[ExchangeError], words: str
) -> None:
    peer.routes["/api/v1/notices"] = lambda _: told(body, status, Location="/elsewhere")
    peer.routes["/elsewhere"] = lambda _: told({"notices": []})
    with pytest.raises(kind, match=words) as refused:
        desk(peer).awaited()
    assert type(refused.value) is kind
