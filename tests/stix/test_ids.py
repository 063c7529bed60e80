"""Ids that follow from content agree with the specification and with stix2."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import stix2.v21
from hypothesis import given
from hypothesis import strategies as st
from stix2.canonicalization.Canonicalize import canonicalize

from exchange.stix.canonical import canonical
from exchange.stix.ids import OUR_NAMESPACE, derived_id, sco_id

_REF = "ipv4-addr--0c7b5b88-8ff7-5a4d-aa9d-feb398cd0061"


@pytest.mark.parametrize(("cls", "type_name", "properties"), [
    (stix2.v21.DomainName, "domain-name", {"value": "пример.example"}),
    (stix2.v21.URL, "url", {"value": "https://a.example/?a=\"b\"\\"}),
    (stix2.v21.UserAccount, "user-account", {"account_type": "x", "account_login": "jdoe", "display_name": "J"}),
    (stix2.v21.File, "file", {"hashes": {"SHA-256": "0" * 64, "MD5": "1" * 32}, "name": "f"}),
    (stix2.v21.File, "file", {"hashes": {"SHA3-256": "1" * 64, "SHA-512": "0" * 128}}),
    (stix2.v21.AutonomousSystem, "autonomous-system", {"number": 64500}),
    (stix2.v21.NetworkTraffic, "network-traffic", {"protocols": ["tcp"], "src_ref": _REF, "src_port": 5}),
    (stix2.v21.Artifact, "artifact", {"payload_bin": "VGVzdA=="}),
    (stix2.v21.Software, "software", {"name": "s", "version": "1"}),
])
def test_ids_of_observables_are_those_of_the_specification(
    cls: Any, type_name: str, properties: dict[str, Any]
) -> None:
    assert cls(**properties).id == sco_id(type_name, properties)


def test_a_known_id_stays() -> None:
    assert sco_id("domain-name", {"value": "example.com"}) == "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"


def test_properties_that_do_not_contribute_change_nothing() -> None:
    assert sco_id("url", {"value": "u"}) == sco_id("url", {"value": "u", "x_own": 1, "id": "url--1"})


@pytest.mark.parametrize(("type_name", "properties"), [("user-account", {"display_name": "J"}), ("x-own", {}),
                                                       ("x-own", {"type": "x-own"})])
def test_nothing_that_contributes_is_refused(type_name: str, properties: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no derived id"):
        sco_id(type_name, properties)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_ids_are_version_5_uuids_of_the_standard_library(key: str) -> None:
    assert derived_id("campaign", key) == f"campaign--{uuid.uuid5(OUR_NAMESPACE, canonical(['campaign', key]))}"


def test_derived_ids_keep_their_keys_apart() -> None:
    ids = {derived_id("campaign", "meta", "a", "b"), derived_id("campaign", "meta", "ab"),
           derived_id("report", "meta", "a", "b"), derived_id("campaign", "meta", "a", "b", "")}
    assert len(ids) == 4
    assert derived_id("campaign", "meta", "a") == derived_id("campaign", "meta", "a")
    assert derived_id("campaign", "meta", "a") == "campaign--2fb9dd8a-c90b-537f-82ca-0ee4d396cf3d"


@pytest.mark.parametrize(("value", "text"), [
    (333333333.33333329, "333333333.3333333"), (1e30, "1e+30"), (4.5, "4.5"), (2e-3, "0.002"), (1e-27, "1e-27"),
    (0.0, "0"), (-0.0, "0"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (9007199254740992, "9007199254740992"),
    (1e-7, "1e-7"), (0.000001, "0.000001"), (123456789012345680000.0, "123456789012345680000"), (5e-324, "5e-324"),
    ("€$\u000f\u000aA'B\"\\\\\"/", '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'), ([True, None], "[true,null]"),
    ({"\U0001f600": 1, "\ufb33": 2, "1": 3}, '{"1":3,"\U0001f600":1,"\ufb33":2}'),
])
def test_canonical_json_is_that_of_rfc_8785(value: object, text: str) -> None:
    assert text == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, b"x"])
def test_what_is_no_json_has_no_canonical_text(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_from_their_canonical_text(value: float) -> None:
    assert value == float(json.loads(canonical(value)))
    assert canonicalize(value, utf8=False) == canonical(value)


_LEAVES = st.none() | st.booleans() | st.text(max_size=4) | st.integers(-2**53, 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=12))
def test_nested_values_have_the_text_that_stix2_gives_them(value: object) -> None:
    assert canonical(value) == canonicalize(value, utf8=False)


@pytest.mark.parametrize("value", [2**53 + 1, -2**60, [{"a": 2**53 + 2}], {"a": {"b": [2**70]}}])
def test_whole_numbers_beyond_a_double_s_digits_are_written_as_doubles_wherever_they_stand(value: object) -> None:
    rounded = json.loads(json.dumps(value), parse_int=float)
    assert canonical(value) == canonicalize(rounded, utf8=False)


def test_what_is_no_json_is_refused_within_others() -> None:
    for value in ({"a": [float("nan")]}, [{"b": {1}}], {"a": {"b": b""}}):
        with pytest.raises(ValueError, match=r"."):
            canonical(value)
