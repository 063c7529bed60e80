"""Objects that must never be stored, never be a server fault, and never spoil a listing for others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller, assert_taxii_error
from tests.e2e.stix_objects import DAY, Object, domain, fixed_id, indicator


def without(name: str, one: Object | None = None) -> bytes:
    """An object that lacks a property."""
    base = indicator("hostile") if one is None else one
    return json.dumps({key: value for key, value in base.items() if key != name}).encode()


def having(**changes: Any) -> bytes:
    """An indicator with wrong values."""
    return json.dumps(indicator("hostile") | changes).encode()


def member(text: str) -> bytes:
    """An indicator with one more member, as JSON text."""
    return json.dumps(indicator("hostile"))[:-1].encode() + b"," + text.encode("utf-8", "surrogatepass") + b"}"


RELATIONSHIP = {
    "type": "relationship",
    "spec_version": "2.1",
    "id": fixed_id("relationship", 1),
    "created": DAY,
    "modified": DAY,
    "relationship_type": "indicates",
    "source_ref": fixed_id("indicator", 1),
    "target_ref": fixed_id("campaign", 1),
}
BUNDLE = {"type": "bundle", "id": fixed_id("bundle", 1), "objects": [indicator("in a bundle")]}
UUID_PART = indicator("hostile")["id"].partition("--")[2]

INVALID_STIX: dict[str, bytes] = {
    "a bundle": json.dumps(BUNDLE).encode(),
    "id of another type": having(id=f"malware--{UUID_PART}"),
    "id without UUID": having(id="indicator--1"),
    "id in capitals": having(id=f"indicator--{UUID_PART.upper()}"),
    "id of one dash": having(id=f"indicator-{UUID_PART}"),
    "no id": without("id"),
    "id null": having(id=None),
    "id a number": having(id=7),
    "id a list": having(id=["x"]),
    "id with NUL": having(id=f"indicator--{UUID_PART}\u0000"),
    "id with a line end": having(id=f"indicator--{UUID_PART}\n"),
    "id empty": having(id=""),
    "id huge": having(id="indicator--" + "a" * 9_000),
    "no type": without("type"),
    "type a number": having(type=1),
    "type null": having(type=None),
    "type unknown": having(type="thing", id=f"thing--{UUID_PART}", spec_version="9"),
    "type in capitals": having(type="Indicator"),
    "type with a space": having(type="indicator "),
    "STIX 2.0": having(spec_version="2.0"),
    "no spec_version": without("spec_version"),
    "spec_version a number": having(spec_version=2.1),
    "spec_version 3": having(spec_version="3.0"),
    "no created": without("created"),
    "no modified": without("modified"),
    "modified a number": having(modified=5),
    "modified null": having(modified=None),
    "month 13": having(modified="2026-13-01T00:00:00Z"),
    "30 February": having(modified="2026-02-30T00:00:00Z"),
    "time with offset": having(modified="2026-01-15T08:00:00+00:00"),
    "time without zone": having(created="2026-01-15T08:00:00", modified="2026-01-15T08:00:00"),
    "time in words": having(modified="now"),
    "date alone": having(modified="2026-01-15"),
    "modified before created": having(modified="2020-01-01T00:00:00Z"),
    "fullwidth digits": having(modified="２０２６-01-15T08:00:00Z"),
    "no pattern": without("pattern"),
    "pattern a list": having(pattern=["x"]),
    "pattern empty": having(pattern=""),
    "pattern broken": having(pattern="[domain-name:value = 'x'"),
    "pattern of words": having(pattern="block everything"),
    "pattern huge": having(pattern="[" + " OR ".join("domain-name:value = 'x'" for _ in range(20_000)) + "]"),
    "pattern deep": having(pattern="(" * 5_000 + "[domain-name:value = 'x']" + ")" * 5_000),
    "no pattern_type": without("pattern_type"),
    "no valid_from": without("valid_from"),
    "valid_until before valid_from": having(valid_until="2020-01-01T00:00:00Z"),
    "name a number": having(name=5),
    "name an object": having(name={}),
    "labels a text": having(labels="x"),
    "labels empty": having(labels=[]),
    "labels of numbers": having(labels=[1]),
    "marking refs a text": having(object_marking_refs="x"),
    "marking refs of an indicator": having(object_marking_refs=[indicator("hostile")["id"]]),
    "confidence 101": having(confidence=101),
    "confidence -1": having(confidence=-1),
    "confidence a text": having(confidence="50"),
    "confidence a fraction": having(confidence=1.5),
    "revoked a text": having(revoked="yes"),
    "reference without source": having(external_references=[{"url": "https://x.example"}]),
    "reference a text": having(external_references=["https://x.example"]),
    "extensions a list": having(extensions=[]),
    "granular marking without selector": having(granular_markings=[{"marking_ref": fixed_id("marking-definition", 1)}]),
    "created_by_ref of no identity": having(created_by_ref=indicator("hostile")["id"]),
    "created_by_ref a number": having(created_by_ref=1),
    "relationship without source": without("source_ref", RELATIONSHIP),
    "relationship without type": without("relationship_type", RELATIONSHIP),
    "relationship to nothing": json.dumps(RELATIONSHIP | {"target_ref": "x"}).encode(),
    "domain without value": without("value", domain("x.example")),
    "domain value a number": json.dumps(domain("x.example") | {"value": 1}).encode(),
    "domain id of another type": json.dumps(domain("x.example") | {"id": fixed_id("url", 1)}).encode(),
    "address a list": json.dumps({"type": "ipv4-addr", "id": fixed_id("ipv4-addr", 1), "value": []}).encode(),
    "file of nothing": json.dumps({"type": "file", "id": fixed_id("file", 1)}).encode(),
    "empty object": b"{}",
    "a list": b"[]",
    "a list of objects": json.dumps([indicator()]).encode(),
    "a number": b"17",
    "a text": b'"indicator"',
    "null": b"null",
    "true": b"true",
    "type alone": b'{"type":"indicator"}',
}
BROKEN_JSON: dict[str, bytes] = {
    "NaN": member('"x_n":NaN'),
    "Infinity": member('"x_n":Infinity'),
    "-Infinity": member('"x_n":-Infinity'),
    "1e999": member('"x_n":1e999'),
    "-1e999": member('"x_n":-1e999'),
    "1e999 deep inside": member('"x_n":[{"a":[1e999]}]'),
    "high surrogate": member(r'"x_s":"\ud800"'),
    "low surrogate": member(r'"x_s":"a\udc00b"'),
    "surrogates swapped": member(r'"x_s":"\ude00\ud83d"'),
    "surrogate in a key": member(r'"x_\ud800":1'),
    "surrogate as UTF-8": member('"x_s":"\ud800"'),
    "NUL escaped": member(r'"x_s":"a\u0000b"'),
    "NUL in the name": having(name="a\u0000b"),
    "NUL in a key": member(r'"x_\u0000":1'),
    "NUL as a byte": member('"x_s":"\x00"'),
    "control character as a byte": member('"x_s":"\x01"'),
    "line end in a text": member('"x_s":"a\nb"'),
    "key twice": member('"name":"second"'),
    "id twice": member(f'"id":"{fixed_id("indicator", "second")}"'),
    "key twice inside": member('"x_m":{"a":1,"a":2}'),
    "key twice escaped": member(r'"n\u0061me":"second"'),
    "type twice": member('"type":"campaign"'),
    "5,000 digits": member('"x_n":' + "9" * 5_000),
    "5,000 digits of fraction": member('"x_n":0.' + "1" * 5_000),
    "exponent of 5,000 digits": member('"x_n":1e' + "9" * 5_000),
    "100,000 arrays": member('"x_d":' + "[" * 100_000 + "]" * 100_000),
    "100,000 objects": member('"x_d":' + '{"a":' * 100_000 + "1" + "}" * 100_000),
    "200 levels": member('"x_d":' + "[" * 200 + "]" * 200),
    "100,000 arrays alone": b"[" * 100_000 + b"]" * 100_000,
    "not UTF-8": json.dumps(indicator("hostile")).encode()[:-1] + b',"x_s":"\xff\xfe"}',
    "overlong UTF-8": json.dumps(indicator("hostile")).encode()[:-1] + b',"x_s":"\xc0\xaf"}',
    "cut UTF-8": json.dumps(indicator("hostile")).encode()[:-1] + b',"x_s":"\xe2\x82"}',
    "comma at the end": json.dumps(indicator("hostile")).encode()[:-1] + b",}",
    "single quotes": b"{'type':'indicator'}",
    "a comment": b"{/* */}",
    "leading zero": member('"x_n":01'),
    "plus": member('"x_n":+1'),
    "hexadecimal": member('"x_n":0x10'),
    "point alone": member('"x_n":1.'),
    "bad escape": member(r'"x_s":"\x41"'),
    "cut escape": member(r'"x_s":"\u12"'),
    "True": member('"x_b":True'),
}


def assert_listing_is_sound(caller: HttpCaller, lane: str, expected: list[Object]) -> None:
    """Every way of reading the collection works, gives strict JSON, and holds what is expected."""
    assert caller.get(lane + "objects/", {"match[version]": "all"}).objects == expected
    assert caller.get(lane + "manifest/", {"match[version]": "all"}).ids == [one["id"] for one in expected]
    for one in expected:
        assert caller.get(f"{lane}objects/{one['id']}/").objects == [one]
    hostile = caller.get(f"{lane}objects/{indicator('hostile')['id']}/")
    assert_taxii_error(hostile, 404)


@pytest.mark.parametrize("name", INVALID_STIX)
def test_invalid_stix_is_refused_and_its_neighbours_are_stored(
    alpha: HttpCaller, beta: HttpCaller, lane: str, name: str
) -> None:
    good = [indicator("first good"), indicator("second good")]
    answer = alpha.push(lane + "objects/", [good[0], INVALID_STIX[name], good[1]])
    assert answer.status == 202, answer.body
    assert (answer.json["success_count"], answer.json["failure_count"]) == (2, 1)
    (failure,) = answer.json["failures"]
    assert failure["message"].partition(":")[0]
    assert_listing_is_sound(beta, lane, good)


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_broken_json_is_refused_alone_or_with_its_envelope(
    alpha: HttpCaller, beta: HttpCaller, lane: str, name: str
) -> None:
    good = [indicator("first good"), indicator("second good")]
    answer = alpha.push(lane + "objects/", [good[0], BROKEN_JSON[name], good[1]])
    if answer.status == 202:
        assert (answer.json["success_count"], answer.json["failure_count"]) == (2, 1)
        assert_listing_is_sound(beta, lane, good)
    else:
        assert_taxii_error(answer, 400, 413, 422)
        assert_listing_is_sound(beta, lane, [])


@pytest.mark.parametrize("name", [*INVALID_STIX, *BROKEN_JSON])
def test_a_hostile_object_alone_is_never_stored(alpha: HttpCaller, exchange: ExchangeProcess, name: str) -> None:
    path = "/taxii2/main/collections/indicators/"
    answer = alpha.push(path + "objects/", [(INVALID_STIX | BROKEN_JSON)[name]])
    if answer.status == 202:
        assert (answer.json["success_count"], answer.json["failure_count"]) == (0, 1)
        again = alpha.get(f"/taxii2/main/status/{answer.json['id']}/")
        assert again.json == answer.json
    else:
        assert_taxii_error(answer, 400, 413, 422)
    assert alpha.get(path + "objects/").ids == []


ODD_BUT_VALID: dict[str, Callable[[], Object]] = {
    "unknown extension": lambda: indicator(
        "odd",
        extensions={fixed_id("extension-definition", 1): {"extension_type": "property-extension", "a": 1}},
    ),
    "unknown property": lambda: indicator("odd", anything_goes={"a": [1]}),
    "word outside of an open vocabulary": lambda: indicator("odd", indicator_types=["made-up"]),
    "year 9999": lambda: indicator("odd", modified="9999-12-31T23:59:59.999Z"),
    "year 1": lambda: indicator("odd", created="0001-01-01T00:00:00Z", modified="0001-01-01T00:00:00Z"),
    "30 fraction digits": lambda: indicator("odd", modified="2026-01-15T08:00:00." + "1" * 30 + "Z"),
    "long name": lambda: indicator("odd", name="n" * 20_000),
    "relationship to nothing that is here": lambda: RELATIONSHIP,
    "domain with an id of its own": lambda: domain("own.example") | {"id": fixed_id("domain-name", "own")},
}


@pytest.mark.parametrize("name", ODD_BUT_VALID)
def test_odd_but_valid_objects_are_stored_and_do_not_spoil_the_listing(alpha: HttpCaller, lane: str, name: str) -> None:
    one, neighbour = ODD_BUT_VALID[name](), indicator("neighbour")
    answer = alpha.push(lane + "objects/", [one, neighbour])
    assert answer.json["success_count"] == 2, answer.body
    assert alpha.get(lane + "objects/").objects == [one, neighbour]
    assert alpha.get(lane + "manifest/").ids == [one["id"], neighbour["id"]]


def test_more_objects_than_an_envelope_may_hold_are_413(alpha: HttpCaller, lane: str) -> None:
    answer = alpha.push(lane + "objects/", [b"{}"] * 10_001)
    assert_taxii_error(answer, 413)
    assert alpha.get(lane + "objects/").ids == []


def test_the_server_wrote_no_traceback(exchange: ExchangeProcess) -> None:
    assert "Traceback" not in exchange.log()
