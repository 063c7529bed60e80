"""TAXII 2.1, 5.5 and 4.3: envelopes, statuses, who may revise what; objects come back byte for byte."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import TAXII, HttpCaller, assert_taxii_error, envelope
from tests.e2e.stix_objects import DAY, TLP, Object, campaign, domain, fixed_id, handling, indicator

LATER = "2026-03-01T00:00:00.000Z"
LATEST = "2026-04-01T00:00:00.000Z"


def pushed(caller: HttpCaller, path: str, objects: list[Any]) -> dict[str, Any]:
    """The status of a push that is taken as a whole."""
    answer = caller.push(path + "objects/", objects)
    assert answer.status == 202, answer.body
    assert answer.headers["content-type"] == TAXII
    status: dict[str, Any] = answer.json
    counts = [status[name + "_count"] for name in ("success", "failure", "pending")]
    assert status["total_count"] == sum(counts) == len(objects)
    assert counts == [len(status.get(name, [])) for name in ("successes", "failures", "pendings")]
    assert str(UUID(status["id"])) == status["id"]
    assert status["status"] in {"complete", "pending"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", status["request_timestamp"])
    for entry in status.get("successes", []) + status.get("failures", []):
        assert isinstance(entry["id"], str)
        assert entry["id"]
        assert isinstance(entry["version"], str)
        assert isinstance(entry.get("message", ""), str)
    return status


def code(status: dict[str, Any], place: int = 0) -> str:
    """The code that stands first in a failure's message."""
    return str(status["failures"][place]["message"]).partition(":")[0]


def test_a_push_is_answered_with_a_status_that_can_be_asked_again(alpha: HttpCaller, lane: str) -> None:
    one, other = indicator(), campaign("status")
    status = pushed(alpha, lane, [one, other])
    assert [s["id"] for s in status["successes"]] == [one["id"], other["id"]]
    assert [s["version"] for s in status["successes"]] == [one["modified"], other["modified"]]
    again = alpha.get(f"/taxii2/lanes/status/{status['id']}/")
    assert again.json == status
    assert status["status"] == "complete"


def test_the_status_of_an_observable_names_the_version_that_the_manifest_names(alpha: HttpCaller, lane: str) -> None:
    status = pushed(alpha, lane, [domain("status.example")])
    (record,) = alpha.get(lane + "manifest/").objects
    assert status["successes"][0]["version"] == record["version"] == record["date_added"]


def test_the_good_objects_of_an_envelope_are_stored_and_the_bad_ones_told(alpha: HttpCaller, lane: str) -> None:
    good, bad, fine = indicator(), indicator(), domain("fine.example")
    del bad["pattern"]
    status = pushed(alpha, lane, [good, bad, fine])
    assert (status["success_count"], status["failure_count"]) == (2, 1)
    assert status["failures"][0]["id"] == bad["id"]
    assert status["failures"][0]["version"] == bad["modified"]
    assert code(status) == "stix-invalid"
    assert "pattern" in status["failures"][0]["message"]
    assert alpha.get(lane + "objects/").objects == [good, fine]


@pytest.mark.parametrize(
    "one", [indicator("again"), domain("again.example"), campaign("again")], ids=lambda o: o["type"]
)
def test_adding_again_is_a_success_that_changes_nothing(alpha: HttpCaller, lane: str, one: Object) -> None:
    pushed(alpha, lane, [one])
    before = alpha.get(lane + "manifest/", {"match[version]": "all"})
    objects = alpha.get(lane + "objects/", {"match[version]": "all"})
    for envelope_of in ([one], [one, one], [one]):
        status = pushed(alpha, lane, envelope_of)
        assert status["failure_count"] == 0
    assert alpha.get(lane + "manifest/", {"match[version]": "all"}).body == before.body
    assert alpha.get(lane + "objects/", {"match[version]": "all"}).body == objects.body


@pytest.mark.parametrize("same", ["2026-01-15T08:00:00Z", "2026-01-15T08:00:00.000000Z", "2026-01-15T08:00:00.0Z"])
def test_the_same_version_written_otherwise_is_the_same_version(alpha: HttpCaller, lane: str, same: str) -> None:
    pushed(alpha, lane, [indicator("spelling")])
    pushed(alpha, lane, [indicator("spelling", modified=same)])
    assert alpha.get(lane + "objects/", {"match[version]": "all"}).objects == [indicator("spelling")]


def test_the_same_version_with_other_content_changes_nothing(alpha: HttpCaller, lane: str) -> None:
    pushed(alpha, lane, [indicator("content")])
    before = alpha.get(lane + "objects/").body
    alpha.push(lane + "objects/", [indicator("content", name="Another name")])
    assert alpha.get(lane + "objects/").body == before


def test_the_same_object_twice_in_one_envelope_is_stored_once(alpha: HttpCaller, lane: str) -> None:
    one = indicator()
    status = pushed(alpha, lane, [one, one])
    assert status["success_count"] == 2
    assert alpha.get(lane + "manifest/", {"match[version]": "all"}).ids == [one["id"]]


def test_versions_of_one_object_may_come_in_one_envelope_in_any_order(alpha: HttpCaller, lane: str) -> None:
    versions = [indicator("order", modified=m) for m in (LATER, DAY, LATEST)]
    assert pushed(alpha, lane, versions)["success_count"] == 3
    assert alpha.get(lane + "objects/").objects == [versions[2]]
    assert alpha.get(lane + "objects/", {"match[version]": "all"}).objects == versions


def test_a_collection_is_separate_from_others(alpha: HttpCaller, exchange: ExchangeProcess) -> None:
    first, second = exchange.next_lane(), exchange.next_lane()
    one = indicator()
    pushed(alpha, first, [one])
    assert alpha.get(second + "objects/").ids == []
    assert_taxii_error(alpha.get(f"{second}objects/{one['id']}/"), 404)
    pushed(alpha, second, [one])
    assert alpha.get(second + "objects/").objects == [one]


# -- who may revise ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"modified": LATER},
        {"modified": LATER, "revoked": True},
        {"modified": "2026-01-01T00:00:00.000Z", "created": "2026-01-01T00:00:00.000Z"},
        {"name": "Same version, other content"},
    ],
    ids=str,
)
def test_only_the_contributor_revises_or_revokes(
    alpha: HttpCaller, beta: HttpCaller, lane: str, change: dict[str, Any]
) -> None:
    pushed(alpha, lane, [indicator("owned")])
    before = {key: alpha.get(lane + "objects/", {"match[version]": "all"}).body for key in "ab"}
    status = pushed(beta, lane, [indicator("owned") | change])
    assert status["failure_count"] == 1
    assert code(status) == "not-object-creator"
    assert alpha.get(lane + "objects/", {"match[version]": "all"}).body == before["a"]
    assert beta.get(lane + "objects/", {"match[version]": "all"}).body == before["a"]


def test_the_contributor_revises_with_any_credential_of_its_organisation(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str
) -> None:
    pushed(alpha, lane, [indicator("revised")])
    newer = indicator("revised", modified=LATER, revoked=True)
    assert pushed(exchange.caller("alpha-two"), lane, [newer])["success_count"] == 1
    assert alpha.get(lane + "objects/").objects == [newer]


def test_two_who_report_the_same_observable_learn_nothing_of_each_other(
    alpha: HttpCaller, beta: HttpCaller, gamma: HttpCaller, lane: str
) -> None:
    one = domain("both.example")
    pushed(alpha, lane, [one])
    status = pushed(beta, lane, [domain("both.example", x_note="beta's own words")])
    assert status["success_count"] == 1
    assert len(gamma.get(lane + "objects/", {"match[version]": "all"}).objects) == 1
    assert gamma.get(f"{lane}objects/{one['id']}/").status == 200
    assert beta.delete(f"{lane}objects/{one['id']}/").status == 200
    assert gamma.get(lane + "objects/").objects == [one]
    assert alpha.delete(f"{lane}objects/{one['id']}/").status == 200
    assert gamma.get(lane + "objects/").ids == []


# -- policy at the door -----------------------------------------------------------------------------------------------
NO_TERMS = "/taxii2/main/collections/no-terms/"
COMPLETE = {
    "regime": "EU-GDPR",
    "legal_basis": ["A6-1-f"],
    "special_basis": ["A9-2-e"],
    "refs": {"lia": "LIA-1", "public_evidence": "https://evidence.example/1"},
    "purposes": ["cib-detection"],
    "notice": "public-notice",
    "retention_days": 30,
    "data": {"personal": "unknown"},
}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "marking-missing"),
        ({"object_marking_refs": [fixed_id("marking-definition", "nowhere")]}, "marking-missing"),
        (
            {"object_marking_refs": [TLP["GREEN"], fixed_id("marking-definition", "nowhere")]},
            "marking-missing",
        ),
    ],
)
def test_without_an_effective_tlp_a_push_is_refused(alpha: HttpCaller, more: dict[str, Any], expected: str) -> None:
    status = pushed(alpha, NO_TERMS, [indicator(**more)])
    assert code(status) == expected


def test_personal_data_without_a_lawful_basis_is_refused(alpha: HttpCaller) -> None:
    address = {
        "type": "email-addr",
        "spec_version": "2.1",
        "id": fixed_id("email-addr", "p"),
        "value": "person@mail.example",
        "object_marking_refs": [TLP["GREEN"]],
    }
    status = pushed(alpha, NO_TERMS, [address])
    assert code(status) in {"basis-missing", "personal-data-undeclared"}


def test_an_object_that_brings_all_its_terms_is_taken_without_defaults(alpha: HttpCaller) -> None:
    marking = handling("complete", **COMPLETE) | {"object_marking_refs": [TLP["GREEN"]]}
    one = indicator(object_marking_refs=[TLP["GREEN"], marking["id"]])
    status = pushed(alpha, NO_TERMS, [marking, one])
    assert status["failures"] if status["failure_count"] else True
    assert one["id"] in {s["id"] for s in status.get("successes", [])}, status


def test_an_unknown_marking_is_not_replaced_by_the_default(alpha: HttpCaller, lane: str) -> None:
    status = pushed(alpha, lane, [indicator(object_marking_refs=[fixed_id("marking-definition", "nowhere")])])
    assert code(status) == "marking-missing"
    assert alpha.get(lane + "objects/").ids == []


def test_a_report_of_inauthentic_behaviour_names_the_behaviour(alpha: HttpCaller, lane: str) -> None:
    status = pushed(alpha, lane, [campaign("nameless", labels=["coordinated-inauthentic-behaviour"])])
    assert code(status) == "behaviour-missing"


# -- bytes ------------------------------------------------------------------------------------------------------------
def with_text(extra: str, word: str = "raw") -> bytes:
    """An indicator's JSON with ``extra`` (one or more members) put in before its end."""
    return json.dumps(indicator(word))[:-1].encode() + b"," + extra.encode() + b"}"


ROUND_TRIPS = {
    "spaces": json.dumps(indicator("raw"), indent=3, separators=(" ,", "  :  ")).encode(),
    "tabs and CRLF": json.dumps(indicator("raw"), indent="\t").replace("\n", "\r\n").encode(),
    "compact": json.dumps(indicator("raw"), separators=(",", ":")).encode(),
    "keys reversed": json.dumps(dict(reversed(indicator("raw").items()))).encode(),
    "unicode as it is": json.dumps(
        indicator("raw", name="Zoë ☃ 🕵️‍♀️ مرحبا \u2028 \ufffd \U0010fffd"), ensure_ascii=False
    ).encode(),
    "unicode escaped": json.dumps(indicator("raw", name="Zoë ☃ 🕵️ \u2028 \uffff")).encode(),
    "decomposed": json.dumps(indicator("raw", name="e\u0301 \u1100\u1161"), ensure_ascii=False).encode(),
    "slashes escaped": with_text(r'"x_path":"\/a\/b\\c\"d"'),
    "control characters": with_text(r'"x_control":"\u0001\b\f\n\r\t\u007f\u001f"'),
    "long integer": with_text('"x_big":123456789012345678901234567890'),
    "edge integers": with_text('"x_a":9007199254740993,"x_b":-9223372036854775809,"x_c":18446744073709551616'),
    "400 digits": with_text('"x_big":' + "7" * 400),
    "fractions": with_text(
        '"x_a":1.0,"x_b":1e5,"x_c":0.1000000000000000055511151231257827,"x_d":-0,"x_e":-0.0,"x_f":1E-400'
    ),
    "server's names": with_text(
        '"version":"1","date_added":"x","collection":"y","more":true,"next":"n","objects_":[1],"seq":1'
    ),
    "objects inside": with_text('"x_list":[{"objects":[{"objects":[1,2]}]},[[[]]],{},"",null,false]'),
    "keys of programs": with_text('"__proto__":{"a":1},"constructor":2,"$where":"1","a.b":3,"":4'),
    "nanoseconds": json.dumps(indicator("raw", modified="2026-01-15T08:00:00.123456789Z")).encode(),
    "whole seconds": json.dumps(
        indicator("raw", created="2026-01-15T08:00:00Z", modified="2026-01-15T08:00:00Z")
    ).encode(),
    "trailing zeros": json.dumps(indicator("raw", modified="2026-01-15T08:00:00.1000000Z")).encode(),
    "observable with nothing else": json.dumps(
        {k: v for k, v in domain("bare.example").items() if k != "spec_version"}
    ).encode(),
    "observable of many": json.dumps(domain("more.example", defanged=True, x_seen=[1, 2.50, "x"])).encode(),
    "custom type": json.dumps(campaign("x") | {"type": "x-persona", "id": fixed_id("x-persona", "1")}).encode(),
    "brackets in texts": json.dumps(indicator("raw", description='"]}},{"objects":[{' * 5)).encode(),
    "long text": json.dumps(indicator("raw", description="ä" * 50_000), ensure_ascii=False).encode(),
    "60 levels": with_text('"x_deep":' + "[" * 60 + "]" * 60),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_an_object_comes_back_byte_for_byte(alpha: HttpCaller, lane: str, name: str) -> None:
    raw = ROUND_TRIPS[name]
    status = pushed(alpha, lane, [indicator("before"), raw, indicator("after")])
    assert status["failure_count"] == 0, status
    identity = json.loads(raw)["id"]
    for answer in (alpha.get(f"{lane}objects/{identity}/"), alpha.get(lane + "objects/")):
        assert raw in answer.body
        assert json.loads(raw) in answer.objects
    version = json.loads(raw).get("modified")
    (record,) = alpha.get(lane + "manifest/", {"match[id]": identity}).objects
    assert record["version"] == (version or record["date_added"])
    if version:
        assert status["successes"][1]["version"] == version
        assert alpha.get(f"{lane}objects/{identity}/versions/").json["versions"] == [version]


@pytest.mark.parametrize("space", [b"", b" ", b"\n\t ", b"\r\n"])
def test_space_around_the_objects_of_an_envelope_is_nothing(alpha: HttpCaller, lane: str, space: bytes) -> None:
    parts = [json.dumps(indicator(n)).encode() for n in range(3)]
    body = space + b"{" + space + b'"objects"' + space + b":" + space + b"[" + space
    body += (space + b"," + space).join(parts) + space + b"]" + space + b"}" + space
    assert alpha.post(lane + "objects/", body).json["success_count"] == 3
    assert alpha.get(lane + "objects/").objects == [indicator(n) for n in range(3)]


@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_gzip_body_is_read(alpha: HttpCaller, lane: str, level: int) -> None:
    one = indicator()
    answer = alpha.post(lane + "objects/", gzip.compress(envelope([one]), level), headers={"Content-Encoding": "gzip"})
    assert answer.status in {202, 415}
    assert alpha.get(lane + "objects/").objects == ([one] if answer.status == 202 else [])


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_chunked_body_is_read(alpha: HttpCaller, lane: str, size: int) -> None:
    whole = envelope([indicator("chunk")])
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert alpha.post(lane + "objects/", parts, chunked=True).json["success_count"] == 1
    assert alpha.get(lane + "objects/").objects == [indicator("chunk")]


NO_ENVELOPES = {
    "nothing": b"",
    "space": b"  ",
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "text": b'"objects"',
    "empty": b"{}",
    "objects null": b'{"objects":null}',
    "objects an object": b'{"objects":{}}',
    "objects a text": b'{"objects":"x"}',
    "no objects": b'{"objects":[]}',
    "cut short": b'{"objects":[{"type":"indicator"',
    "cut list": b'{"objects":[',
    "text after the end": envelope([indicator()]) + b"x",
    "two envelopes": envelope([indicator()]) * 2,
    "byte order mark": b"\xef\xbb\xbf" + envelope([indicator()]),
    "UTF-16": envelope([indicator()]).decode().encode("utf-16"),
    "Latin-1": envelope([indicator(name="x")]).replace(b'"x"', b'"\xe9"'),
    "more alone": b'{"more":false}',
    "two lists": envelope([indicator()])[:-1] + b',"objects":[]}',
    "100,000 arrays": b'{"objects":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 arrays open": b'{"objects":[' + b"[" * 100_000,
    "objects in objects": b'{"objects":' * 30_000,
    "NUL": b'{"objects":[]}\x00',
    "XML": b"<objects/>",
    "form": b"objects=%5B%5D",
    "comment": b'{"objects":[]/* */}',
    "NaN": b'{"objects":NaN}',
    "capitals": b'{"OBJECTS":[]}',
}


@pytest.mark.parametrize("name", NO_ENVELOPES)
def test_what_is_no_envelope_is_refused_as_a_whole(alpha: HttpCaller, lane: str, name: str) -> None:
    assert_taxii_error(alpha.post(lane + "objects/", NO_ENVELOPES[name]), 400, 413, 422)
    assert alpha.get(lane + "objects/").ids == []


def test_unknown_members_of_an_envelope_are_passed_over(alpha: HttpCaller, lane: str) -> None:
    body = b'{"more":true,"next":"x","x_other":[{"objects":1}],' + envelope([indicator("members")])[1:]
    assert alpha.post(lane + "objects/", body).json["success_count"] == 1


def test_members_of_the_word_objects_elsewhere_are_no_second_list(alpha: HttpCaller, lane: str) -> None:
    one = indicator("words", x_map={"objects": [1]}, description='the word "objects" : in a text')
    assert pushed(alpha, lane, [one])["success_count"] == 1
    assert alpha.get(lane + "objects/").objects == [one]


def test_a_push_answers_only_after_it_can_be_read(alpha: HttpCaller, beta: HttpCaller, lane: str) -> None:
    for number in range(20):
        pushed(alpha, lane, [indicator(f"read-{number}")])
        assert len(beta.get(lane + "objects/").ids) == number + 1
