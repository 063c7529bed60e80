"""A file of STIX objects goes out byte for byte, in parts that the server takes, and each object's fate comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.client.push import Fate, Pushing, envelope, parts, read_objects
from exchange.client.taxii import Client
from exchange.errors import InputError, NotFoundError, UnavailableError
from tests.fakes.web_peer import Answer, Asked, WebPeer

MEDIA = {"Content-Type": "application/taxii+json;version=2.1"}
ODD = b'{"type": "domain-name",  "id": "domain-name--1", "x": 1.50, "y": "\\u00e4", "x": 2}'
MARKING = b'{"id":"marking-definition--1","type":"marking-definition"}'
PLACE = "/root/collections/c1/"


@pytest.mark.parametrize(("text", "objects"), [
    (b'{"type":"bundle","id":"b","objects":[' + ODD + b"]}", [ODD]),
    (b'{"objects":[' + ODD + b"]}", [ODD]),
    (b" \n[" + ODD + b" , " + MARKING + b"]", [MARKING, ODD]),
    (ODD, [ODD]),
    (b"[7, " + MARKING + b', "x"]', [MARKING, b"7", b'"x"']),  # what is no object is the server's to refuse
], ids=["bundle", "envelope", "list", "single object", "odd members"])
def test_objects_come_as_they_stand_in_the_file_and_markings_first(
    tmp_path: Path, text: bytes, objects: list[bytes]
) -> None:
    (tmp_path / "a.json").write_bytes(text)
    assert read_objects(tmp_path / "a.json") == objects


@pytest.mark.parametrize(("text", "sentence"), [
    (None, "can't be read: No such file"),
    (b"", "is no JSON of STIX objects"),
    (b"{", "is no JSON of STIX objects"),
    (b"\xff{}", "is no JSON of STIX objects"),
    (b'[{"type": "x", "name": "\xff"}]', "is no JSON of STIX objects"),
    (b'{"type":"bundle","objects":7}', "is no JSON of STIX objects"),
    (b"[" * 100_000, "is no JSON of STIX objects"),
    (b"[]", "holds no objects"),
    (b'{"objects":[]}', "holds no objects"),
], ids=["missing", "empty", "cut", "not utf-8", "not utf-8 inside", "wrong kind", "deep", "empty list", "empty envelope"])
def test_what_holds_no_objects_is_a_sentence_with_the_file(tmp_path: Path, text: bytes | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(InputError, match=f"a.json {sentence}"):
        read_objects(tmp_path / "a.json")


@given(st.lists(st.binary(max_size=40), max_size=60), st.integers(1, 200), st.integers(1, 9))
def test_parts_are_the_objects_in_order_and_none_is_larger_than_it_may_be(
    objects: list[bytes], most_bytes: int, most_objects: int
) -> None:
    found = list(parts(objects, most_bytes, most_objects))
    assert [one for part in found for one in part] == objects
    assert all(1 <= len(part) <= most_objects for part in found)
    assert all(len(envelope(part)) <= most_bytes for part in found if len(part) > 1)
    for part, after in pairwise(found):
        assert len(part) == most_objects or len(envelope([*part, after[0]])) > most_bytes, "more would have gone in"


class Box:
    """A collection whose server takes bodies of at most ``most`` bytes, whatever it says of itself."""

    def __init__(self, peer: WebPeer, said: object = 1_000_000, most: int = 1_000_000) -> None:
        self.bodies: list[bytes] = []
        self._most = most
        root = {"title": "root", "max_content_length": said}
        peer.routes["/root/"] = lambda _: Answer(200, json.dumps(root).encode(), MEDIA)
        peer.routes[PLACE + "objects/"] = self._take
        self.pushing = Pushing(Client(peer.url(PLACE), token="t"), None)

    def _take(self, asked: Asked) -> Answer:
        if len(asked.body) > self._most:
            return Answer(413, b'{"title":"too large"}', MEDIA)
        self.bodies.append(asked.body)
        ids = [one["id"] for one in json.loads(asked.body)["objects"]]
        return Answer(202, json.dumps({"total_count": len(ids), "successes": [{"id": i} for i in ids]}).encode(), MEDIA)


@pytest.fixture
def peer() -> Iterator[WebPeer]:
    with WebPeer() as running:
        yield running


def item(number: int, more: int = 0) -> bytes:
    return json.dumps({"id": f"x--{number}", "type": "x", "text": "y" * more}).encode()


@pytest.mark.parametrize(("said", "bodies"), [(1_000_000, 1), (400, 5), (1, 10), (0, 1), ("lots", 1), (None, 1)])
def test_a_part_is_as_large_as_the_api_root_says_that_it_takes(peer: WebPeer, said: object, bodies: int) -> None:
    box, objects = Box(peer, said), [item(number, 100) for number in range(10)]
    fates = list(box.pushing.push(objects))
    assert [fate.id for fate in fates] == [f"x--{number}" for number in range(10)]
    assert len(box.bodies) == bodies
    assert [json.dumps(one).encode() for body in box.bodies for one in json.loads(body)["objects"]] == objects


def test_a_part_that_is_refused_as_too_large_is_halved_until_one_object_alone_is(peer: WebPeer) -> None:
    box = Box(peer, most=300)
    fates = list(box.pushing.push([item(1), item(2, 500), item(3), item(4)]))
    assert [(fate.id, fate.refused) for fate in fates] == [("x--1", False), ("x--2", True), ("x--3", False), ("x--4", False)]
    assert "413" in fates[1].message


@pytest.mark.parametrize(("status", "fates"), [
    ({"total_count": 3, "successes": [{"id": "a", "version": "v", "message": "unchanged"}],
      "failures": [{"id": "b", "message": "no"}], "pendings": [{"id": "c"}]},
     [Fate("a", False, "unchanged", "v"), Fate("b", True, "no"), Fate("c", False, "not decided yet")]),
    ({"total_count": 1}, []),
    ({"total_count": 2, "successes": [{"id": "a"}], "failures": [{}]}, [Fate("a", False, ""), Fate("", True, "")]),
])
def test_a_status_tells_each_objects_fate(peer: WebPeer, status: dict[str, Any], fates: list[Fate]) -> None:
    box = Box(peer)
    peer.routes[PLACE + "objects/"] = lambda _: Answer(202, json.dumps(status).encode(), MEDIA)
    assert list(box.pushing.push([item(1)])) == fates


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'"ok"'])
def test_an_answer_that_is_no_status_is_told(peer: WebPeer, answer: bytes) -> None:
    box = Box(peer)
    peer.routes[PLACE + "objects/"] = lambda _: Answer(202, answer, MEDIA)
    with pytest.raises(UnavailableError, match="no status resource"):
        list(box.pushing.push([item(1)]))


@pytest.mark.parametrize(("collections", "named", "sentence"), [
    ([], None, "has no collection that you may write to.*Ask the exchange's operator"),
    ([{"id": "c1", "can_write": False, "can_read": True}], None, "has no collection that you may write to"),
    ([{"id": "c1", "can_write": True}, {"id": "c2", "alias": "two", "can_write": True}], None, "more than one .*c1, two"),
    ([{"id": "c1", "can_write": True}], "else", "no collection 'else' .*c1"),
])
def test_where_it_goes_must_be_one_collection(
    peer: WebPeer, collections: list[dict[str, Any]], named: str | None, sentence: str
) -> None:
    peer.routes["/root/"] = lambda _: Answer(200, b"{}", MEDIA)
    peer.routes["/root/collections/"] = lambda _: Answer(200, json.dumps({"collections": collections}).encode(), MEDIA)
    with pytest.raises(NotFoundError, match=sentence):
        Pushing(Client(peer.url("/root/"), token="t"), named)
