"""Validation by STIX 2.1: every demand has an object that breaks it, and a sentence that names the property."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.fault import StixFault
from exchange.stix.timestamp import version_key
from exchange.stix.validate import check

Make = Callable[..., dict[str, Any]]
_ID = "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"


def _fault(obj: Any, strict: bool = False) -> StixFault:
    fault = check(obj, strict)
    assert fault is not None
    assert fault.sentence.endswith(".")
    assert str(fault).encode()
    return fault


def test_the_least_object_of_every_type_is_valid_also_strictly(make: Make, type_name: str) -> None:
    assert (check(make(type_name)), check(make(type_name), strict=True)) == (None, None)


def test_every_required_property_is_missed(make: Make, type_name: str) -> None:
    whole = make(type_name)
    optional = {"spec_version"} if "created" not in whole else set()
    for name in set(whole) - optional:
        without = {key: value for key, value in whole.items() if key != name}
        if check(without) is None:
            assert name in ("object_refs", "country", "payload_bin", "account_login", "key"), name
        else:
            assert name in _fault(without).sentence


@pytest.mark.parametrize("wrong", [5, None, [], {}, True, "", "x"])
def test_wrong_kinds_never_crash_and_are_mostly_refused(make: Make, type_name: str, wrong: object) -> None:
    for name in make(type_name):
        changed = make(type_name, **{name: wrong})
        for strict in (False, True):
            fault = check(changed, strict)
            if name in ("type", "id", "created", "modified", "spec_version"):
                assert fault is not None


TABLE: list[tuple[str, dict[str, Any], str, str]] = [
    # type, changes, code, property
    ("indicator", {"type": ...}, "stix-invalid", "type"),
    ("indicator", {"type": "Indicator"}, "stix-type-unknown", "type"),
    ("indicator", {"type": "in dicator"}, "stix-type-unknown", "type"),
    ("bundle", {}, "stix-type-unknown", "type"),
    ("frobnicator", {"created": ..., "modified": ...}, "stix-type-unknown", "type"),
    ("indicator", {"id": "indicator--1"}, "stix-id-invalid", "id"),
    ("indicator", {"id": f"campaign--{_ID}"}, "stix-id-invalid", "id"),
    ("indicator", {"id": f"indicator--{_ID.upper()}"}, "stix-id-invalid", "id"),
    ("indicator", {"id": f"indicator--{_ID}\n"}, "stix-id-invalid", "id"),
    ("indicator", {"id": "indicator--0c7b5b88-8ff7-4a4d-0a9d-feb398cd0061"}, "stix-id-invalid", "id"),
    ("x-own", {"id": f"x-other--{_ID}"}, "stix-id-invalid", "id"),
    ("indicator", {"spec_version": ...}, "stix-version-unsupported", "spec_version"),
    ("indicator", {"spec_version": "2.0"}, "stix-version-unsupported", "spec_version"),
    ("url", {"spec_version": "2.0"}, "stix-version-unsupported", "spec_version"),
    ("indicator", {"created": "2026-02-30T00:00:00Z", "modified": "2026-03-01T00:00:00Z"}, "stix-invalid", "created"),
    ("indicator", {"created": "2026-01-01"}, "stix-invalid", "created"),
    ("indicator", {"created": "0000-01-01T00:00:00Z"}, "stix-invalid", "created"),
    ("indicator", {"modified": "2025-12-31T23:59:59.999Z"}, "stix-invalid", "modified"),
    ("indicator", {"modified": "2026-01-01T00:00:00+00:00"}, "stix-invalid", "modified"),
    ("url", {"modified": "yesterday"}, "stix-invalid", "modified"),
    ("x-own", {"modified": ...}, "stix-invalid", "modified"),
    ("indicator", {"valid_until": "2026-01-01T00:00:00.000Z"}, "stix-invalid", "valid_until"),
    ("indicator", {"pattern": "[domain-name:value = 'a"}, "pattern-invalid", "pattern"),
    ("indicator", {"pattern": ""}, "pattern-invalid", "pattern"),
    ("indicator", {"pattern": " ", "pattern_type": "yara"}, "pattern-invalid", "pattern"),
    ("indicator", {"pattern": {"a": 1}}, "stix-invalid", "pattern"),
    ("indicator", {"labels": []}, "stix-invalid", "labels"),
    ("indicator", {"labels": ["a", 5]}, "stix-invalid", "labels[1]"),
    ("indicator", {"confidence": 101}, "stix-invalid", "confidence"),
    ("indicator", {"confidence": -1}, "stix-invalid", "confidence"),
    ("indicator", {"confidence": "80"}, "stix-invalid", "confidence"),
    ("indicator", {"confidence": True}, "stix-invalid", "confidence"),
    ("indicator", {"confidence": 10**390}, "stix-invalid", "confidence"),
    ("indicator", {"revoked": "false"}, "stix-invalid", "revoked"),
    ("indicator", {"created_by_ref": f"campaign--{_ID}"}, "stix-invalid", "created_by_ref"),
    ("indicator", {"object_marking_refs": [f"identity--{_ID}"]}, "stix-invalid", "object_marking_refs[0]"),
    ("indicator", {"external_references": [{"url": "https://a.example"}]}, "stix-invalid",
     "external_references[0].source_name"),
    ("indicator", {"external_references": [{"source_name": "s", "hashes": {"MD5": "x"}}]}, "stix-invalid",
     "external_references[0].hashes.MD5"),
    ("indicator", {"kill_chain_phases": [{"phase_name": "p"}]}, "stix-invalid",
     "kill_chain_phases[0].kill_chain_name"),
    ("indicator", {"granular_markings": [{"selectors": ["name"]}]}, "stix-invalid", "granular_markings[0]"),
    ("indicator", {"granular_markings": [{"lang": "en", "selectors": ["a b"]}]}, "stix-invalid",
     "granular_markings[0].selectors[0]"),
    ("indicator", {"extensions": {}}, "stix-invalid", "extensions"),
    ("indicator", {"extensions": {"extension-definition--1": {"a": 1}}}, "stix-invalid", "extensions"),
    ("indicator", {"extensions": {f"extension-definition--{_ID}": 5}}, "stix-invalid",
     f"extensions.extension-definition--{_ID}"),
    ("indicator", {"extensions": {f"extension-definition--{_ID}": {"extension_type": "own"}}}, "stix-invalid",
     f"extensions.extension-definition--{_ID}.extension_type"),
    ("campaign", {"first_seen": "2026-01-02T00:00:00Z", "last_seen": "2026-01-01T00:00:00Z"}, "stix-invalid",
     "last_seen"),
    ("observed-data", {"first_observed": "2026-01-02T00:00:00Z"}, "stix-invalid", "last_observed"),
    ("observed-data", {"object_refs": ...}, "stix-invalid", "object_refs"),
    ("observed-data", {"objects": {"0": {"type": "url", "value": "u"}}}, "stix-invalid", "object_refs"),
    ("observed-data", {"number_observed": 0}, "stix-invalid", "number_observed"),
    ("relationship", {"start_time": "2026-01-02T00:00:00Z", "stop_time": "2026-01-01T00:00:00Z"}, "stix-invalid",
     "stop_time"),
    ("relationship", {"source_ref": "campaign"}, "stix-invalid", "source_ref"),
    ("location", {"latitude": 1.0}, "stix-invalid", "latitude"),
    ("location", {"latitude": 91, "longitude": 0}, "stix-invalid", "latitude"),
    ("location", {"precision": 1}, "stix-invalid", "precision"),
    ("malware", {"is_family": True}, "stix-invalid", "name"),
    ("malware-analysis", {"result": ...}, "stix-invalid", "result"),
    ("report", {"object_refs": []}, "stix-invalid", "object_refs"),
    ("report", {"object_refs": ["campaign--1"]}, "stix-invalid", "object_refs[0]"),
    ("opinion", {"opinion": "meh"}, "stix-invalid", "opinion"),
    ("artifact", {"url": "https://a.example", "hashes": {"MD5": "0" * 32}}, "stix-invalid", "url"),
    ("artifact", {"payload_bin": ..., "url": "https://a.example"}, "stix-invalid", "hashes"),
    ("artifact", {"payload_bin": "***"}, "stix-invalid", "payload_bin"),
    ("email-message", {"is_multipart": True, "body": "b"}, "stix-invalid", "body"),
    ("email-message", {"body_multipart": [{"body": "b"}]}, "stix-invalid", "body_multipart"),
    ("file", {"name": ...}, "stix-invalid", "hashes"),
    ("file", {"labels": [5]}, "stix-invalid", "labels[0]"),
    ("x-own", {"labels": "cib", "created": ..., "modified": ...}, "stix-invalid", "labels"),
    ("url", {"created_by_ref": ["identity"]}, "stix-invalid", "created_by_ref"),
    ("file", {"hashes": {}}, "stix-invalid", "hashes"),
    ("file", {"hashes": {"SHA-256": "abc"}}, "stix-invalid", "hashes.SHA-256"),
    ("file", {"hashes": {"a b": "abc"}}, "stix-invalid", "hashes"),
    ("file", {"hashes": {"a\nb": 5, "c": "x"}}, "stix-invalid", "hashes.'a\\nb'"),
    ("file", {"magic_number_hex": "abc"}, "stix-invalid", "magic_number_hex"),
    ("network-traffic", {"src_ref": ...}, "stix-invalid", "src_ref"),
    ("network-traffic", {"src_port": 65536}, "stix-invalid", "src_port"),
    ("network-traffic", {"is_active": True, "end": "2026-01-01T00:00:00Z"}, "stix-invalid", "is_active"),
    ("network-traffic", {"ipfix": {"a b": 1}}, "stix-invalid", "ipfix"),
    ("process", {"pid": ...}, "stix-invalid", "pid"),
    ("x509-certificate", {"serial_number": ...}, "stix-invalid", "serial_number"),
    ("extension-definition", {"extension_types": ["new"]}, "stix-invalid", "extension_types[0]"),
    ("marking-definition", {"modified": "2026-01-01T00:00:00.000Z"}, "stix-invalid", "modified"),
    ("marking-definition", {"definition": ...}, "marking-invalid", "definition"),
    ("marking-definition", {"definition": ..., "definition_type": ...}, "marking-invalid", "definition"),
    ("marking-definition", {"definition": {"a": 1}}, "marking-invalid", "definition.statement"),
    ("marking-definition", {"definition_type": "tlp", "definition": {"tlp": "pink"}}, "marking-invalid",
     "definition.tlp"),
    ("marking-definition", {"id": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
                            "definition_type": "tlp", "definition": {"tlp": "white"}}, "marking-invalid",
     "definition"),
    ("marking-definition", {"id": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"}, "marking-invalid",
     "definition"),
]


@pytest.mark.parametrize(("type_name", "changes", "code", "place"), TABLE)
def test_what_breaks_a_demand_is_refused_with_code_and_property(
    make: Make, type_name: str, changes: dict[str, Any], code: str, place: str
) -> None:
    fault = _fault(make(type_name, **changes))
    assert (code, place) == (fault.code, fault.property)


def test_the_first_of_very_many_faults_is_named_without_looking_at_all(make: Make) -> None:
    fault = _fault(make("indicator", labels=["a"] * 100_000 + [5] * 100_000))
    assert fault.property == "labels[100000]"


def test_version_and_identity_are_named_before_other_faults(make: Make) -> None:
    assert _fault(make("indicator", labels=5, pattern=..., id="1", spec_version=...)).property == "spec_version"
    assert _fault(make("indicator", labels=5, pattern=..., id="1")).property == "id"


LOOSE: list[tuple[str, dict[str, Any], str]] = [
    # type, changes, property that strict names
    ("relationship", {"start_time": "2026-01-01T00:00:00Z", "stop_time": "2026-01-01T00:00:00.000Z"}, "stop_time"),
    ("relationship", {"target_ref": f"relationship--{_ID}"}, "target_ref"),
    ("grouping", {"object_refs": ...}, "object_refs"),
    ("location", {"country": ..., "city": "Paris"}, "country"),
    ("campaign", {"own_property": 1}, "own_property"),
    ("campaign", {"X_Own": 1}, "X_Own"),
    ("url", {"spec_version": ...}, "spec_version"),
    ("url", {"labels": ["a"]}, "labels"),
    ("file", {"hashes": {"PDQ": "abc"}}, "hashes"),
    ("report", {"report_types": ["weather"]}, "report_types[0]"),
    ("identity", {"identity_class": "club"}, "identity_class"),
    ("indicator", {"pattern_type": "cib-sequence"}, "pattern_type"),
    ("channel", {}, "type"),
    ("media-content", {"created": ..., "modified": ...}, "type"),
    ("campaign", {"id": "campaign--00000000-0000-0000-8000-000000000001"}, "id"),
    ("campaign", {"external_references": [{"source_name": "s"}]}, "external_references[0]"),
    ("artifact", {"payload_bin": ..., "hashes": {"MD5": "0" * 32}}, "payload_bin"),
    ("marking-definition", {"definition_type": "tlp", "definition": {"tlp": "red"}}, "id"),
]


@pytest.mark.parametrize(("type_name", "changes", "place"), LOOSE)
def test_what_is_harmlessly_loose_is_taken_and_refused_by_strict_collections(
    make: Make, type_name: str, changes: dict[str, Any], place: str
) -> None:
    obj = make(type_name, **changes)
    assert check(obj) is None
    assert place == _fault(obj, strict=True).property


@pytest.mark.parametrize(("type_name", "changes"), [
    ("indicator", {"x_opencti_score": 50, "version": "1", "date_added": "never", "collection": {}}),
    ("indicator", {"x_big": 10**399}),
    ("indicator", {"x_null": None}),
    ("indicator", {"pattern": "rule a { condition: true }", "pattern_type": "yara"}),
    ("indicator", {"modified": "2026-01-01T00:00:00Z"}),
    ("x-mitre-tactic", {"name": "n"}),
    ("x-misp-object", {"x_misp_name": "n"}),
    ("x-own-observable", {"created": ..., "modified": ..., "spec_version": ...}),
    ("narrative", {}), ("event", {}), ("channel", {}),
    ("media-content", {"created": ..., "modified": ..., "spec_version": ...}),
    ("frobnicator", {"created": ..., "modified": ..., "extensions": {
        f"extension-definition--{_ID}": {"extension_type": "new-sco"}}}),
    ("url", {"id": "url--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"}),
    ("marking-definition", {"id": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
                            "definition_type": "tlp", "definition": {"tlp": "clear"}, "name": "TLP:CLEAR"}),
    ("marking-definition", {"definition_type": ..., "definition": ..., "extensions": {
        f"extension-definition--{_ID}": {"a": 1}}}),
    ("file", {"extensions": {"pdf-ext": {"version": "1.7"}}}),
])
def test_the_real_world_is_taken(make: Make, type_name: str, changes: dict[str, Any]) -> None:
    assert check(make(type_name, **changes)) is None


@pytest.mark.parametrize("value", ["\ud800", {5}, {1: 2}, object(), float("nan"), b"bytes"])
def test_values_that_no_json_holds_give_a_fault_or_pass_but_never_raise(make: Make, value: object) -> None:
    for name in ("x_own", "name", "labels", "id", "created"):
        check(make("indicator", **{name: value}))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["2026-01-01T00:00:00Z", "indicator", f"indicator--{_ID}", "2.1", "stix"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["indicator", "observed-data", "marking-definition", "url", "file", "relationship", "x-own", "y"]),
    st.dictionaries(st.sampled_from([
        "id", "created", "modified", "spec_version", "labels", "extensions", "pattern", "pattern_type", "valid_from",
        "definition", "definition_type", "granular_markings", "hashes", "objects", "start_time", "stop_time", "value",
    ]), _VALUES),
    st.booleans(),
)
def test_whatever_passes_can_be_listed(type_name: str, given_values: dict[str, Any], strict: bool) -> None:
    obj = {"type": type_name, "spec_version": "2.1", "id": f"{type_name}--{_ID}", "created": "2026-01-01T00:00:00Z",
           "modified": "2026-01-01T00:00:00Z", **given_values}
    fault = check(obj, strict)
    if fault is None:
        assert obj["id"] == f"{type_name}--{obj['id'][-36:]}"
        for name in ("created", "modified"):
            version_key(obj[name])
    else:
        assert fault.sentence
        assert fault.code
