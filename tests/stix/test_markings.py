"""Terms that an object states itself: every spelling of TLP, IEP, PAP, handling and granular markings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange.model.terms import Audience, Basis
from exchange.stix import tlp
from exchange.stix.extensions import HANDLING
from exchange.stix.handling import IEP_EXTENSION, NO_PURPOSE, NOBODY, PAP_EXTENSION
from exchange.stix.markings import StatedTerms, read_terms, selects
from exchange.stix.validate import check

Make = Callable[..., dict[str, Any]]
_OWN = "marking-definition--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"
_OTHER = "marking-definition--1c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"


def _marking(extension: str, **content: Any) -> dict[str, Any]:
    return {"type": "marking-definition", "spec_version": "2.1", "id": _OWN, "created": "2026-01-01T00:00:00Z",
            "extensions": {extension: {"extension_type": "property-extension", **content}}}


def _read(*markings: dict[str, Any], **properties: Any) -> StatedTerms:
    known = {f"marking-definition--{index}": marking for index, marking in enumerate(markings)}
    return read_terms({"type": "indicator", "object_marking_refs": list(known), **properties}, known.get)


@pytest.mark.parametrize(("properties", "tlp2", "tlp1"), [
    ({"object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}, ("TLP:CLEAR",), ()),
    ({"object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}, ("TLP:GREEN",), ()),
    ({"object_marking_refs": ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]}, ("TLP:AMBER",), ()),
    ({"object_marking_refs": ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]},
     ("TLP:AMBER+STRICT",), ()),
    ({"object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}, ("TLP:RED",), ()),
    ({"object_marking_refs": ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]}, (), ("TLP:WHITE",)),
    ({"object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]}, (), ("TLP:GREEN",)),
    ({"object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]}, (), ("TLP:AMBER",)),
    ({"object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]}, (), ("TLP:RED",)),
    ({"object_marking_refs": ["marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"]},
     ("TLP:AMBER+STRICT",), ()),
    ({"labels": ["tlp:amber"]}, ("TLP:AMBER",), ()),
    ({"labels": ["TLP:AMBER+STRICT", "spam"]}, ("TLP:AMBER+STRICT",), ()),
    ({"labels": ["tlp:amber-strict"]}, ("TLP:AMBER+STRICT",), ()),
    ({"labels": ["tlp:white"]}, (), ("TLP:WHITE",)),
    ({"labels": ["misp:tlp:red", "TLP: GREEN"]}, ("TLP:RED", "TLP:GREEN"), ()),
    ({"labels": ["tlp-red", "TLP_GREEN"]}, ("TLP:RED", "TLP:GREEN"), ()),
    ({"labels": ["tlp red", "tlp=\"amber\""]}, ("TLP:RED", "TLP:AMBER"), ()),
    ({"labels": ["TLP：RED", "tlp:amber - strict"]}, ("TLP:RED", "TLP:AMBER+STRICT"), ()),
    ({"labels": ["tlpred"]}, ("TLP:RED",), ()),
    ({"labels": ["tlps red", "redtlp", "TLPREDACTED", "about tlp:red", 5]}, (), ()),
    ({"labels": "tlp:red"}, (), ()),
    ({"labels": ["tlp:red"], "object_marking_refs": ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]},
     ("TLP:RED",), ("TLP:WHITE",)),
    ({}, (), ()),
])
def test_every_spelling_of_tlp_is_read(
    properties: dict[str, Any], tlp2: tuple[str, ...], tlp1: tuple[str, ...]
) -> None:
    stated = read_terms({"type": "indicator", **properties}, lambda _: None)
    assert (tlp2, tlp1) == (stated.markings.tlp, stated.markings.tlp1)
    assert bool(tlp2 or tlp1) == stated.states_tlp
    assert stated.faults == ()


@pytest.mark.parametrize("label", ["tlp:pink", "TLP:", "tlp:amber+", "tlp:red\n.", "misp:tlp:unclear", "TLP-AMBER+", "tlp red-ish"])
def test_a_tlp_label_of_no_known_level_is_a_fault_and_not_a_gap_for_defaults(label: str) -> None:
    stated = read_terms({"type": "indicator", "labels": [label]}, lambda _: None)
    assert [(fault.code, fault.property) for fault in stated.faults] == [("marking-invalid", "labels")]


def test_a_tlp_marking_of_another_id_is_read_by_its_content() -> None:
    own = {"type": "marking-definition", "definition_type": "tlp", "definition": {"tlp": "amber+strict"}}
    assert _read(own).markings.tlp == ("TLP:AMBER+STRICT",)
    assert _read(_marking(tlp.TLP2_EXTENSION, tlp_2_0="green")).markings.tlp == ("TLP:GREEN",)
    assert [fault.code for fault in _read(_marking(tlp.TLP2_EXTENSION, tlp_2_0="white")).faults] == ["marking-invalid"]


def test_a_marking_that_can_not_be_resolved_is_named_and_a_foreign_one_is_carried() -> None:
    stated = read_terms({"type": "url", "object_marking_refs": [_OWN]}, lambda _: None)
    assert stated.markings.unresolved == (_OWN,)
    foreign = _read(_marking("extension-definition--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", a=1))
    assert (foreign.markings.unresolved, foreign.faults) == ((), ())


def test_a_statement_is_carried() -> None:
    marking = {"type": "marking-definition", "definition_type": "statement", "definition": {"statement": "(c) me"}}
    assert _read(marking).statements == ("(c) me",)


IEP = {"iep_version": 2.0, "permitted_actions": "internally-visible-actions", "encrypt_in_transit": "must",
       "affected_party_notifications": "may", "provider_attribution": "must-not", "unmodified_resale": "must-not",
       "tlp": "amber", "start_date": "2026-01-01T00:00:00Z"}


def test_an_iep_policy_becomes_facts() -> None:
    expected = {**IEP, "attribution": "must-not"}
    del expected["provider_attribution"]
    stated = _read(_marking(IEP_EXTENSION, **IEP))
    assert (expected,) == stated.markings.iep
    assert stated.states_tlp


@pytest.mark.parametrize(("change", "code"), [
    ({"iep_version": 1.0}, "iep-version-unsupported"),
    ({"iep_version": None}, "iep-version-unsupported"),
    ({"permitted_actions": "all"}, "marking-invalid"),
    ({"permitted_actions": []}, "marking-invalid"),
    ({"tlp": 5}, "marking-invalid"),
    ({"end_date": "soon"}, "marking-invalid"),
    ({"start_date": 5}, "marking-invalid"),
])
def test_a_malformed_iep_policy_is_a_fault(change: dict[str, Any], code: str) -> None:
    stated = _read(_marking(IEP_EXTENSION, **(IEP | change)))
    assert [code] == [fault.code for fault in stated.faults]
    assert stated.markings.iep == ()


def test_of_several_permitted_actions_the_strictest_holds() -> None:
    actions = ["externally-visible-direct-actions", "contact-for-instruction"]
    stated = _read(_marking(IEP_EXTENSION, iep_version="2.0", permitted_actions=actions))
    assert stated.markings.iep[0]["permitted_actions"] == "contact-for-instruction"


def test_pap_is_read_from_ids_extension_and_labels() -> None:
    assert _read(_marking(PAP_EXTENSION, pap="amber")).markings.pap == ("PAP:AMBER",)
    assert _read(labels=["pap:red"]).markings.pap == ("PAP:RED",)
    by_id = read_terms(
        {"type": "url", "object_marking_refs": ["marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92"]},
        lambda _: None,
    )
    assert by_id.markings.pap == ("PAP:CLEAR",)
    assert [fault.code for fault in _read(_marking(PAP_EXTENSION, pap="pink")).faults] == ["marking-invalid"]


WHOLE = {
    "legal_basis": ["A6-1-f"], "special_basis": ["A9-2-e"], "regime": "EU-GDPR", "refs": {"lia": "LIA-1"},
    "purposes": ["cib-detection", "research"], "retention_until": "2026-12-01T00:00:00Z", "notice": "public-notice",
    "not_before": "2026-02-01T00:00:00Z", "audience": {"sharing_groups": ["g1", "g2"], "exclude_orgs": ["o1"]},
    "data": {"personal": "yes", "categories": ["Username"], "subject_kind": "operator"},
    "requires_agreements": ["base", {"id": "more", "min_version": 2}], "appeals_contact": "a@a.example",
    "research_compatible": True,
}


def test_a_handling_marking_is_read_whole() -> None:
    stated = _read(_marking(HANDLING, **WHOLE))
    assert stated.faults == ()
    assert Basis(("A6-1-f",), ("A9-2-e",), ("cib-detection", "research"), {"lia": "LIA-1"}, "public-notice", True) == (
        stated.basis
    )
    assert Audience(sharing_groups=("g1", "g2"), exclude_orgs=("o1",)) == stated.audience
    assert stated.life is not None
    assert (stated.life.retention_until, stated.life.not_before) == ("2026-12-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert stated.data is not None
    assert (
        stated.data.personal, stated.data.categories, stated.data.subject_kind,
    ) == ("yes", ("Username",), "operator")
    assert stated.requires_agreements == ({"id": "base", "min_version": 1}, {"id": "more", "min_version": 2})
    assert (stated.regime, stated.handling.appeals_contact) == ("EU-GDPR", "a@a.example")


def test_what_is_not_stated_stays_none() -> None:
    stated = _read(_marking(HANDLING, purposes=["cib-detection"]))
    assert (
        stated.audience, stated.data, stated.life, stated.regime, stated.requires_agreements, stated.retention_days,
    ) == (None, None, None, None, None, None)
    nothing = _read()
    assert nothing.basis is None
    assert not nothing.states_tlp


@pytest.mark.parametrize(("content", "place"), [
    ({"legal_basis": []}, "legal_basis"),
    ({"legal_basis": "A6-1-f"}, "legal_basis"),
    ({"regime": "MARS"}, "regime"),
    ({"retention_until": "2026-12-01"}, "retention_until"),
    ({"retention_until": "2026-02-30T00:00:00Z"}, "retention_until"),
    ({"retention_days": 0}, "retention_days"),
    ({"audience": {"groups": ["g"]}}, "audience"),
    ({"data": {"personal": "maybe"}}, "data.personal"),
    ({"own": 1}, "own"),
    ({}, ""),
])
def test_a_malformed_handling_marking_is_a_fault_here_and_when_it_is_pushed(
    content: dict[str, Any], place: str
) -> None:
    marking = _marking(HANDLING, **content)
    faults = _read(marking).faults
    assert [fault.code for fault in faults] == ["marking-invalid"]
    assert place in str(faults[0]) + faults[0].property
    if "02-30" not in str(content):
        pushed = check(marking)
        assert pushed is not None
        assert pushed.code == "marking-invalid"


def test_a_handling_extension_belongs_on_a_marking(make: Make) -> None:
    fault = check(make("indicator", extensions={HANDLING: {"extension_type": "property-extension", **WHOLE}}))
    assert fault is not None
    assert fault.code == "marking-invalid"


def test_several_handling_markings_are_joined_to_the_strictest() -> None:
    other = {
        "purposes": ["research", "audit"], "retention_until": "2026-11-01T00:00:00Z", "retention_days": ...,
        "not_before": "2026-01-15T00:00:00Z", "audience": {"sharing_groups": ["g2"], "exclude_orgs": ["o2"]},
        "data": {"personal": "no", "categories": ["Name"]}, "requires_agreements": [{"id": "base", "min_version": 3}],
    }
    del other["retention_days"]
    stated = _read(_marking(HANDLING, **WHOLE), _marking(HANDLING, **other))
    assert stated.basis is not None
    assert stated.basis.purposes == ("research",)
    assert not stated.basis.research_compatible
    assert Audience(sharing_groups=("g2",), exclude_orgs=("o1", "o2")) == stated.audience
    assert stated.life is not None
    assert (stated.life.retention_until, stated.life.not_before) == ("2026-11-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert stated.data is not None
    assert (stated.data.personal, stated.data.categories) == ("yes", ("Username", "Name"))
    assert stated.requires_agreements == ({"id": "base", "min_version": 3}, {"id": "more", "min_version": 2})


def test_purposes_that_have_nothing_in_common_are_no_purpose_and_no_gap_for_defaults() -> None:
    stated = _read(_marking(HANDLING, purposes=["research"]), _marking(HANDLING, purposes=["audit"]))
    assert stated.basis is not None
    assert stated.basis.purposes == (NO_PURPOSE,)


@pytest.mark.parametrize("audiences", [
    [{"sharing_groups": ["g1"]}, {"sharing_groups": ["g2"]}],
    [{"sharing_groups": ["g1"]}, {"named_orgs": ["o1"]}],
    [{"sharing_groups": []}],
])
def test_an_audience_that_is_stated_and_empty_is_nobody(audiences: list[dict[str, Any]]) -> None:
    stated = _read(*(_marking(HANDLING, audience=audience) for audience in audiences))
    assert Audience(named_orgs=(NOBODY,)) == stated.audience


def test_granular_markings_become_one_fact_per_selector() -> None:
    group = _marking(HANDLING, audience={"sharing_groups": ["g1"]})
    obj = {
        "type": "campaign", "name": "n", "labels": ["a", "b"], "description": "d",
        "granular_markings": [
            {"selectors": ["name", "labels.[1]"],
             "marking_ref": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"},
            {"selectors": ["description"], "marking_ref": _OWN},
            {"selectors": ["description"], "lang": "de"},
            {"selectors": ["description"], "marking_ref": _OTHER},
        ],
    }
    stated = read_terms(obj, {_OWN: group}.get)
    assert stated.markings.granular == (
        {"selector": "name", "tlp": "TLP:RED"}, {"selector": "labels.[1]", "tlp": "TLP:RED"},
        {"selector": "description", "groups": ["g1"]}, {"selector": "description", "lang": "de"},
    )
    assert stated.markings.unresolved == (_OTHER,)
    assert not stated.states_tlp


def test_a_selector_that_selects_nothing_is_a_fault() -> None:
    obj = {"type": "campaign", "name": "n", "granular_markings": [{"selectors": ["nmae"], "lang": "en"}]}
    assert [fault.code for fault in read_terms(obj, lambda _: None).faults] == ["granular-selector-invalid"]


@pytest.mark.parametrize(("selector", "expected"), [
    ("a", True), ("b.[0]", True), ("b.[0].c", True), ("b.[1]", False), ("b.c", False), ("a.x", False), ("", False),
    ("[0]", False), ("b.[-1]", False), (5, False), ("b.[٠]", False), ("b.[²]", False),
])
def test_selectors_follow_keys_and_positions(selector: object, expected: bool) -> None:
    assert expected is selects({"a": 1, "b": [{"c": 2}]}, selector)
