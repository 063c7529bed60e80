"""An envelope's objects come as they were sent, one list of them; and its status says what became of each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import BadRequestError, ExchangeError, TooLargeError, UnprocessableError
from exchange.intake.envelope import split_envelope
from exchange.intake.status import Told, status_resource
from exchange.model.pushed import PushOutcome

ODD = b'{"id":  "x--1", "n": 1.50, "t": "\\u00e4", "n": 2}'


@pytest.mark.parametrize(("body", "objects"), [
    (b'{"objects":[' + ODD + b"]}", [ODD]),
    (b' { "more": false , "objects" : [ ' + ODD + b" , 7,null ] } ", [ODD, b"7", b"null"]),
    (b'{"objects":[{"objects":[1]}],"x":{"objects":[2]}}', [b'{"objects":[1]}']),
    (b'{"objects":["\\"objects\\":[3]"],"x":"\\"objects\\""}', [b'"\\"objects\\":[3]"']),
    (b'{"x":"\\u006f","objects":["\\u006f"]}', [b'"\\u006f"']),
    (b'{"obj\\u0065cts":[1]}', [b"1"]),
    (b'{"objects":[' + b"7" * 5_000 + b',1e999],"x":{"objects":1}}', [b"7" * 5_000, b"1e999"]),
])
def test_objects_come_byte_for_byte(body: bytes, objects: list[bytes]) -> None:
    assert split_envelope(body, 5) == objects


@pytest.mark.parametrize(("body", "kind", "sentence"), [
    (b'{"objects":["\xff"]}', BadRequestError, "isn't UTF-8: byte 13 is wrong"),
    (b"", BadRequestError, "isn't JSON"), (b'{"objects":[', BadRequestError, "isn't JSON"),
    (b'{"objects":[1]}x', BadRequestError, "isn't JSON"),
    (b"[" * 100_000, UnprocessableError, "no TAXII envelope"),
    (b'{"objects":[' + b"[" * 100_000, BadRequestError, "isn't JSON"),
    (b"[]", UnprocessableError, "no TAXII envelope"), (b"{}", UnprocessableError, "no TAXII envelope"),
    (b'{"objects":{}}', UnprocessableError, "no TAXII envelope"), (b'{"objects":null}', UnprocessableError, "no TAXII envelope"),
    (b'{"objects":[]}', UnprocessableError, "holds no objects"),
    (b'{"objects":[1,2,3,4,5,6]}', TooLargeError, "holds 6 objects; the most is 5"),
    (b'{"objects":[1],"objects":[2]}', UnprocessableError, "two lists named objects"),
    (b'{"objects":[1],"x":7,"objects":[1]}', UnprocessableError, "two lists named objects"),
    (b'{"objects":[{"objects":[1]}],"objects":[2]}', UnprocessableError, "two lists named objects"),
    (b'{"objects":[2],"objects":[{"objects":[1]}]}', UnprocessableError, "two lists named objects"),
    (b'{"objects":[1],"obj\\u0065cts":[2]}', UnprocessableError, "two lists named objects"),
    (b'{"obj\\u0065cts":[1],"\\u006Fbjects":[2]}', UnprocessableError, "two lists named objects"),
])
def test_what_is_no_envelope_is_refused_in_words(body: bytes, kind: type[ExchangeError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence) as refused:
        split_envelope(body, 5)
    assert type(refused.value) is kind


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just("objects"),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("objects") | st.text(max_size=3), inner, max_size=3),
                      max_leaves=8)


@settings(max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=4), st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.booleans())
def test_whatever_the_objects_hold_they_are_taken_as_they_are(objects: list[Any], beside: dict[str, Any], ascii_only: bool) -> None:
    body = json.dumps({**beside, "objects": objects}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    assert [json.loads(one) for one in split_envelope(body, 9)] == objects


def told(state: Any, code: str = "", sentence: str = "", stix_id: str = "x--1") -> Told:
    return Told(PushOutcome(stix_id, state, code, sentence), "v1")


@pytest.mark.parametrize(("one", "good", "detail"), [
    (told("added"), True, {"id": "x--1", "version": "v1"}),
    (told("added", "note", "lorem"), True, {"id": "x--1", "version": "v1"}),
    (told("unchanged"), True, {"id": "x--1", "version": "v1", "message": "unchanged"}),
    (told("unchanged", "older"), True, {"id": "x--1", "version": "v1", "message": "older"}),
    (told("refused", "no-tlp", "Say who may see it."), False, {"id": "x--1", "version": "v1", "message": "no-tlp: Say who may see it."}),
    (told("refused", "no-tlp"), False, {"id": "x--1", "version": "v1", "message": "no-tlp"}),
    (told("refused", "", "", ""), False, {"id": "unknown", "version": "v1"}),
])
def test_a_status_says_what_became_of_an_object(one: Told, good: bool, detail: dict[str, str]) -> None:
    status = json.loads(status_resource("s", "then", [one]))
    assert status == {"id": "s", "status": "complete", "request_timestamp": "then", "total_count": 1, "pending_count": 0,
                      "success_count": int(good), "failure_count": int(not good), ("successes" if good else "failures"): [detail]}


def test_a_status_counts_each_object_once() -> None:
    status = json.loads(status_resource("s", "then", [told("added"), told("refused"), told("unchanged")]))
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (3, 2, 1)
