"""Repairs: a table of what is mended, what is left alone, and how it is told."""

from __future__ import annotations

import base64
import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.mend import mend
from exchange.stix.validate import check

WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
STRICT = "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"
TLP2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
TIMES = {"created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-02T00:00:00.000Z"}
UUID = "0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c11"
SHEET = base64.b64encode(b"PK\x03\x04" + random.Random(1).randbytes(6_000)).decode()


def domain(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{UUID}", **TIMES, **properties}


def old(kind: str, **properties: Any) -> dict[str, Any]:
    made = domain(kind, **properties)
    del made["spec_version"]
    return made


REF = f"identity--{UUID}"
RELATION = {"relationship_type": "uses", "source_ref": REF, "target_ref": REF}
T1, T2 = "2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z"


@pytest.mark.parametrize(("item", "changed", "note"), [
    # STIX 2.0
    (old("indicator", pattern="[url:value = 'x']", labels=["benign"], valid_from=T1),
     {"spec_version": "2.1", "pattern_type": "stix", "indicator_types": ["benign"]},
     "STIX 2.0 written as 2.1"),
    (old("malware", name="m", labels=["bot"]),
     {"spec_version": "2.1", "is_family": False, "malware_types": ["bot"]}, "is_family set to false"),
    (old("report", name="r", labels=["threat-report"], published=T1, object_refs=[REF]),
     {"spec_version": "2.1", "report_types": ["threat-report"]}, "report_types taken from labels"),
    (old("observed-data", first_observed=T1, last_observed=T1, number_observed=1,
         objects={"0": {"type": "domain-name", "value": "x.example"}}),
     {"spec_version": "2.1"}, "spec_version set"),
    (old("relationship", **RELATION), {"spec_version": "2.1"}, "spec_version set."),
    (old("marking-definition", definition_type="statement", definition={"statement": "s"}),
     {"spec_version": "2.1", "modified": None}, "a marking has no versions"),
    ({**domain("identity", name="n"), "spec_version": "2.0"}, {"spec_version": "2.1"}, "spec_version set"),
    # relationships
    (domain("relationship", **RELATION, start_time=T1, stop_time=T1), {"stop_time": None},
     f"stop_time {T1} left out"),
    # markings
    ({"type": "marking-definition", "spec_version": "2.1", "id": WHITE, "created": "2017-01-20T00:00:00.000Z",
      "definition_type": "tlp", "name": "TLP:CLEAR", "definition": {"tlp": "clear"}},
     {"name": "TLP:WHITE", "definition": {"tlp": "white"}}, "means the same"),
    ({"type": "marking-definition", "spec_version": "2.1", "id": STRICT, "created": T1,
      "definition_type": "tlp", "name": "TLP:AMBER+STRICT", "definition": {"tlp": "AMBER+STRICT"}},
     {"definition": None, "definition_type": None,
      "extensions": {TLP2: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}},
     "extension of TLP 2.0"),
    ({"type": "marking-definition", "spec_version": "2.1", "id": STRICT, "created": T1, "name": "TLP:AMBER+STRICT",
      "definition_type": "statement", "definition": {"statement": "custom"}, "x_opencti_definition": "TLP:AMBER+STRICT"},
     {"definition": None, "definition_type": None,
      "extensions": {TLP2: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}},
     "extension of TLP 2.0"),
    # what says nothing
    (domain("identity", name="n", labels=[], description=None, object_marking_refs=[]),
     {"labels": None, "description": None, "object_marking_refs": None},
     "Empty properties left out: description, labels, object_marking_refs."),
    # times
    (domain("identity", name="n") | {"created": "2024-01-01T00:00:00+00:00"},
     {"created": "2024-01-01T00:00:00Z"}, "Times with a zero offset written with Z: created."),
])
def test_what_is_mended(item: dict[str, Any], changed: dict[str, Any], note: str) -> None:
    before = copy.deepcopy(item)
    mended, told = mend(item)
    assert note in told
    assert item == before
    assert {**before, **changed} == {**dict.fromkeys([k for k, v in changed.items() if v is None]), **mended}
    assert check(mended) is None
    assert mend(mended) == (mended, "")


@pytest.mark.parametrize("item", [
    domain("identity", name="n"),
    domain("identity", name="n", confidence=0, revoked=False, x_opencti_score=50, x_opencti_id="a"),
    domain("channel", name="vk.com/example", x_opencti_type="Channel"),
    domain("grouping", name="g", context="unspecified"),
    domain("location", name="Moscow", city="Moscow"),
    domain("relationship", **RELATION, start_time=T1, stop_time=T2),
    domain("relationship", **RELATION, start_time=T2, stop_time=T1),
    domain("report", name="r", published=T1, object_refs=[REF], description="word " * 5_000),
    domain("identity", name="n", created="2024-01-01T00:00:00+02:00"),
    {"type": "domain-name", "id": f"domain-name--{UUID}", "value": "x.example"},
    {"type": "artifact", "spec_version": "2.1", "id": f"artifact--{UUID}", "payload_bin": SHEET},
    {"type": "marking-definition", "spec_version": "2.1", "id": WHITE, "created": T1,
     "definition_type": "tlp", "name": "TLP:RED", "definition": {"tlp": "red"}},
    {"type": "marking-definition", "id": 7, "spec_version": "2.1", "definition": "x"},
    {"type": [], "id": {}, "labels": 7, "created": 3},
])
def test_what_is_left_alone(item: dict[str, Any]) -> None:
    mended, told = mend(item)
    assert told == "" or item.get("type") == []
    assert mended == item or item.get("type") == []


@pytest.mark.parametrize(("place", "value", "left"), [
    ("x_opencti_files", [{"name": "a.xlsx", "mime_type": "m", "data": SHEET}],
     [{"name": "a.xlsx", "mime_type": "m"}]),
    ("extensions", {"extension-definition--1": {"files": [{"name": "a.xlsx", "data": SHEET}]}},
     {"extension-definition--1": {"files": [{"name": "a.xlsx"}]}}),
    ("x_content", "data:application/zip;base64," + SHEET, "(a file was left out)"),
    ("content", SHEET[:76] + "\r\n" + SHEET[76:], "(a file was left out)"),
])
def test_files_in_base64_stay_out_and_their_digest_is_told(place: str, value: Any, left: Any) -> None:
    import hashlib

    item = domain("report", name="r", published=T1, object_refs=[REF], **{place: value})
    mended, told = mend(item)
    assert left == mended[place]
    assert hashlib.sha256(base64.b64decode(SHEET)).hexdigest() in told
    assert "6,004 bytes" in told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
names = ["type", "id", "created", "modified", "labels", "start_time", "stop_time", "definition",
         "definition_type", "spec_version", "extensions", "x_a"]
keys = st.sampled_from(names) | st.text(max_size=4)
words = st.sampled_from(["marking-definition", WHITE, STRICT, "relationship"])


@given(st.dictionaries(keys, json_values | words))
def test_any_object_is_mended_or_left_and_a_second_time_changes_nothing(item: dict[str, Any]) -> None:
    before = copy.deepcopy(item)
    mended, _ = mend(item)
    assert item == before
    assert mend(mended) == (mended, "")
