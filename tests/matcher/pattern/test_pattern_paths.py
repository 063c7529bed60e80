"""Object paths of STIX patterns (STIX 2.1, 9.7): lists, dictionaries, references, in both forms of observed data."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.matcher.pattern.observed import observed_data
from exchange.matcher.pattern.verdict import MATCH, NO_MATCH, UNDECIDED, Judge

Y, N = MATCH, NO_MATCH
WHEN = "2026-01-01T00:00:00Z"
SEEN = {"type": "observed-data", "id": "observed-data--1", "first_observed": WHEN, "last_observed": WHEN,
        "number_observed": 1}

FILE = {
    "type": "file", "id": "file--1", "name": "foo.dll", "size": 25536,
    "hashes": {"MD5": "aa", "SHA-256": "bb", "ssdeep": "cc"},
    "parent_directory_ref": "directory--1", "content_ref": "artifact--9",
    "extensions": {"windows-pebinary-ext": {"sections": [{"entropy": 6.0, "name": ".text"}, {"entropy": 7.5}]},
                   "archive-ext": {"contains_refs": ["file--2", "file--3"]},
                   "extension-definition--9c59fd79-4215-4ba2-920d-3e4f320e1e62": {"rank": 5}},
    "x list": [1, 2, [3, 4]], "a.b": "dot", "tags": ["p", "q", "q"], "empty": [],
}
OTHERS = [
    {"type": "file", "id": "file--2", "name": "inner.txt", "parent_directory_ref": "directory--1"},
    {"type": "file", "id": "file--3", "name": "other.txt", "size": 3},
    {"type": "directory", "id": "directory--1", "path": "C:\\Windows\\System32", "contains_refs": ["file--1", "file--2"]},
    {"type": "artifact", "id": "artifact--9", "mime_type": "image/png"},
    {"type": "email-message", "id": "email-message--1", "from_ref": "email-addr--1", "to_refs": ["email-addr--1", "email-addr--2"],
     "body_multipart": [{"body": "x"}, {"body_raw_ref": "file--3"}]},
    {"type": "email-addr", "id": "email-addr--1", "value": "a@example.com"},
    {"type": "email-addr", "id": "email-addr--2", "value": "b@example.com"},
]
NOT_SEEN = "artifact--9"

PATHS = [
    # section, test, result
    ("9.7.1", "file:size = 25536", Y),
    ("9.7", "file:id = 'file--1'", Y),
    ("9.7", "file:type = 'file'", Y),
    ("9.7", "file:Name = 'foo.dll'", N),
    ("9.7.3", "file:hashes.MD5 = 'aa'", Y),
    ("9.7.3", "file:hashes.'MD5' = 'aa'", Y),
    ("9.7.3", "file:hashes.'SHA-256' = 'bb'", Y),
    ("9.7.3", "file:hashes.'sha-256' = 'bb'", N),
    ("9.7.3", "file:hashes.ssdeep = 'cc'", Y),
    ("9.7.3", "file:hashes = 'aa'", N),
    ("9.7.3", "file:hashes != 'aa'", Y),
    ("9.7.3", "EXISTS file:hashes", Y),
    ("9.7", "file:'a.b' = 'dot'", Y),
    ("9.7", "file:a.b = 'dot'", N),
    ("9.7.3", "file:extensions.'windows-pebinary-ext'.sections[0].name = '.text'", Y),
    ("9.7.3", "file:extensions.'extension-definition--9c59fd79-4215-4ba2-920d-3e4f320e1e62'.rank = 5", Y),
    ("9.7.2", "file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0", Y),
    ("9.7.2", "file:extensions.'windows-pebinary-ext'.sections[0].entropy > 7.0", N),
    ("9.7.2", "file:extensions.'windows-pebinary-ext'.sections[1].entropy > 7.0", Y),
    ("9.7.2", "file:extensions.'windows-pebinary-ext'.sections[2].entropy > 7.0", N),
    ("9.7.2", "file:extensions.'windows-pebinary-ext'.sections.entropy > 7.0", N),
    ("9.7.2", "file:tags[0] = 'p'", Y),
    ("9.7.2", "file:tags[1] = 'p'", N),
    ("9.7.2", "file:tags[3] = 'q'", N),
    ("9.7.2", "file:tags[3] != 'q'", N),
    ("9.7.2", "file:tags[*] = 'q'", Y),
    ("9.7.2", "file:tags[*] = 'z'", N),
    ("9.7.2", "file:tags[*] != 'q'", Y),  # some item differs
    ("9.6.1", "file:tags[*] NOT = 'q'", N),  # the whole comparison is negated
    ("9.6.1", "file:tags[*] NOT = 'z'", Y),
    ("9.6.1", "file:tags[*] NOT IN ('p', 'q')", N),
    ("9.6.1", "file:tags[*] NOT LIKE 'p%'", N),
    ("9.7.2", "file:tags[*] IN ('q', 'z')", Y),
    ("9.7.2", "file:empty[*] != 'a'", N),
    ("9.7.2", "file:empty[*] NOT = 'a'", N),
    ("9.7.2", "file:tags = 'p'", N),
    ("9.7.2", "file:name[0] = 'f'", N),
    ("9.7.2", "file:name[*] = 'f'", N),
    ("9.7.2", "file:hashes[*] = 'aa'", N),
    ("9.7.2", "file:'x list'[2][1] = 4", Y),
    ("9.7.2", "file:'x list'[*][*] = 3", Y),
    ("9.7.4", "file:parent_directory_ref.path = 'C:\\\\Windows\\\\System32'", Y),
    ("9.7.4", "file:parent_directory_ref = 'directory--1'", Y),
    ("9.7.4", "file:parent_directory_ref.type = 'directory'", Y),
    ("9.7.4", "file:name = 'foo.dll' AND file:parent_directory_ref.path LIKE '%System32'", Y),
    ("9.7.4", "email-message:from_ref.value = 'a@example.com'", Y),
    ("9.7.4", "email-message:to_refs[1].value = 'b@example.com'", Y),
    ("9.7.4", "email-message:to_refs[0].value = 'b@example.com'", N),
    ("9.7.4", "email-message:to_refs[*].value = 'b@example.com'", Y),
    ("9.7.4", "email-message:to_refs.value = 'b@example.com'", N),
    ("9.7.4", "email-message:to_refs[*] = 'email-addr--2'", Y),
    ("9.7.4", "email-message:body_multipart[*].body_raw_ref.name = 'other.txt'", Y),
    ("9.7.4", "directory:contains_refs[*].name = 'foo.dll'", Y),
    ("9.7.4", "directory:contains_refs[*].parent_directory_ref.contains_refs[*].size = 25536", Y),
    ("9.7.4", "file:extensions.'archive-ext'.contains_refs[*].size = 3", Y),
    ("9.7.4", "file:extensions.'archive-ext'.contains_refs[0].size = 3", N),
    # only what the observed-data lists may be followed
    ("9.7.4", "file:content_ref.mime_type = 'image/png'", N),
    ("9.7.4", "file:content_ref.mime_type != 'image/gif'", N),
    ("9.7.4", "EXISTS file:content_ref.mime_type", N),
    ("9.7.4", "EXISTS file:content_ref", Y),
    ("9.5", "artifact:mime_type = 'image/png'", N),
    ("9.5", "email-message:from_ref.value = 'a@example.com' AND email-message:to_refs[*].value = 'b@example.com'", Y),
    ("9.5", "email-addr:value = 'a@example.com' AND email-addr:value = 'b@example.com'", N),
]


def by_references() -> list[dict[str, Any]]:
    held = [FILE, *OTHERS]
    return [{**SEEN, "object_refs": [one["id"] for one in held if one["id"] != NOT_SEEN]}, *held]


def by_dictionary() -> list[dict[str, Any]]:
    held = [FILE, *OTHERS]
    return [{**SEEN, "objects": {one["id"]: one for one in held if one["id"] != NOT_SEEN}}]


@pytest.mark.parametrize(("section", "test", "result"), PATHS)
@pytest.mark.parametrize("form", [by_references, by_dictionary], ids=["object_refs", "objects"])
def test_a_path_leads_where_the_specification_says(form: Any, section: str, test: str, result: str) -> None:
    assert Judge(observed_data(form()).observed).judge(f"[{test}]").result == result, section


def test_two_addresses_of_one_observation_need_one_object_that_refers_to_both() -> None:
    pattern = "[network-traffic:src_ref.value = '203.0.113.10' AND network-traffic:dst_ref.value = '198.51.100.58']"
    apart: dict[str, Any] = {
        "0": {"type": "network-traffic", "src_ref": "1"}, "1": {"type": "ipv4-addr", "value": "203.0.113.10"},
        "2": {"type": "network-traffic", "dst_ref": "3"}, "3": {"type": "ipv4-addr", "value": "198.51.100.58"}}
    together = {**apart, "0": {"type": "network-traffic", "src_ref": "1", "dst_ref": "3"}}
    results = [Judge(observed_data([{**SEEN, "objects": objects}]).observed).judge(pattern).result
               for objects in (apart, together)]
    assert results == [N, Y]


@pytest.mark.parametrize(("size", "result"), [(12, Y), (150, UNDECIDED)])
def test_references_in_a_circle_find_their_end_or_are_undecided(size: int, result: str) -> None:
    ring = {f"{n}": {"type": "foo", "some_refs": [f"{m}" for m in range(size)], "size": n} for n in range(size)}
    pattern = "[foo:" + "some_refs[*]." * 40 + f"size = {size - 1}]"
    verdict = Judge(observed_data([{**SEEN, "objects": ring}]).observed).judge(pattern)
    assert (verdict.result, bool(verdict.reason)) == (result, result == UNDECIDED)


def test_an_object_counts_in_every_observed_data_that_refers_to_it() -> None:
    shared = {"type": "x", "id": "x--1", "v": 1}
    seen = [{**SEEN, "id": f"observed-data--{n}", "object_refs": ["x--1"]} for n in (1, 2)]
    judge = Judge(observed_data([*seen, shared]).observed)
    assert judge.judge("[x:v = 1]").observed == ("observed-data--1", "observed-data--2")
    assert judge.judge("[x:v = 1] REPEATS 2 TIMES").result == Y


def test_of_two_versions_of_an_observed_data_the_later_counts() -> None:
    old = {**SEEN, "modified": "2026-01-01T00:00:00Z", "object_refs": ["x--1"]}
    new = {**SEEN, "modified": "2026-01-02T00:00:00Z", "object_refs": ["x--2"]}
    held = [{"type": "x", "id": "x--1", "v": 1}, {"type": "x", "id": "x--2", "v": 2}]
    for order in ([old, new], [new, old]):
        judge = Judge(observed_data([*order, *held]).observed)
        assert [judge.judge(f"[x:v = {n}]").result for n in (1, 2)] == [N, Y]
