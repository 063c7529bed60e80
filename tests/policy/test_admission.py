"""A push is refused with every code, its place and a remedy, in the fixed order; defaults fill what isn't stated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exchange.model.party import Organisation
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.admit import admit, push_facts
from exchange.policy.label import object_facts
from exchange.policy.merge import merge_terms
from exchange.policy.packs import load
from exchange.policy.shape import moment

AT = "2026-03-01T09:00:00Z"
PRODUCER = Organisation("org-north", "North", "platform", "DE", "EEA", controller_arrangement="art26")
DEFAULTS: dict[str, Any] = {
    "tlp": "TLP:GREEN", "regime": "EU-GDPR", "legal_basis": ["A6-1-f"], "refs": {"lia": "lia-1"},
    "purposes": ["cib-detection"], "retention_days": 90, "personal": "yes", "sharing_groups": ["g7"],
    "exclude_orgs": ["org-east"], "notice": "public-notice", "subject_kind": "inauthentic-persona",
}


def push(terms: Terms, **more: Any) -> dict[str, Any]:
    obj = object_facts(terms, owner="org-north", community="circle", categories=more.pop("categories", ()))
    return push_facts({**obj, **more}, PRODUCER, AT)


def test_plain_stix_without_defaults_is_refused_with_all_that_is_missing() -> None:
    refusals = admit(push(Terms(), categories=["Username"]), load())
    assert [refusal.code for refusal in refusals] == [
        "marking-missing", "basis-missing", "purpose-missing", "retention-missing", "notice-status-missing"]
    assert all(refusal.property and "Needed" in refusal.sentence for refusal in refusals)


def test_plain_stix_with_published_defaults_comes_in() -> None:
    assert admit(push(merge_terms(Terms(), DEFAULTS, AT), categories=["Username"]), load()) == ()


CODES = [
    ({"categories": ["Username"]}, replace(Terms(), data=PersonalData("no")), "personal-data-undeclared"),
    ({}, Terms(markings=Markings(tlp=("TLP:GREEN", "TLP:PINK"))), "marking-invalid"),
    ({}, Terms(basis=Basis(legal_basis=("A6-1-z",))), "basis-unknown"),
    ({}, Terms(basis=Basis(legal_basis=("A6-1-f",))), "lia-missing"),
    ({"cib_without_behaviour": True}, Terms(), "behaviour-missing"),
    ({}, Terms(markings=Markings(unresolved=("marking-definition--x",))), "marking-missing"),
]


@pytest.mark.parametrize(("more", "terms", "code"), CODES, ids=[row[2] for row in CODES])
def test_one_fault_is_one_refusal(more: dict[str, Any], terms: Terms, code: str) -> None:
    assert [refusal.code for refusal in admit(push(merge_terms(terms, DEFAULTS, AT), **more), load())] == [code]


STATED = Terms(
    markings=Markings(tlp1=("TLP:AMBER",)), audience=Audience(named_orgs=("org-south",), exclude_orgs=("org-west",)),
    basis=Basis(legal_basis=("A6-1-a",), refs={"consent": "c"}, purposes=("transparency",), notice="given"),
    data=PersonalData("no", subject_kind="organisation"), life=Life(retention_until="2027-01-01T00:00:00Z"),
    regime="UK-GDPR",
)


def test_what_is_stated_wins_part_by_part() -> None:
    merged = merge_terms(STATED, DEFAULTS, AT)
    assert merged == replace(STATED, audience=replace(STATED.audience, exclude_orgs=("org-west", "org-east")))


def test_defaults_fill_what_is_not_stated() -> None:
    merged = merge_terms(Terms(), DEFAULTS, AT)
    assert merged.markings == Markings(collection_default="TLP:GREEN")
    assert merged.audience == Audience(sharing_groups=("g7",), exclude_orgs=("org-east",))
    assert merged.basis == Basis(("A6-1-f",), (), ("cib-detection",), {"lia": "lia-1"}, "public-notice")
    assert merged.data == PersonalData("yes", subject_kind="inauthentic-persona")
    assert merged.life.retention_until == "2026-05-30T09:00:00.000000Z"
    assert merged.regime == "EU-GDPR"


def test_no_defaults_change_nothing() -> None:
    assert merge_terms(STATED, {}, AT) == STATED


def test_a_defaults_evidence_does_not_vouch_for_another_basis() -> None:
    merged = merge_terms(Terms(basis=Basis(legal_basis=("A6-1-f-third-party",))), DEFAULTS, AT)
    assert merged.basis.refs == {}


def test_an_iep_with_a_level_needs_no_default() -> None:
    marked = Terms(markings=Markings(iep=({"iep_version": 2.0, "tlp": "RED"},)))
    assert merge_terms(marked, DEFAULTS, AT).markings.collection_default is None


DAYS = [
    ({}, ("Username",), 90), ({"retention_days": 900}, (), 365), ({"retention_days": 900}, ("IPAddress",), 184),
    ({"retention_days": 900, "personal": "no"}, (), 365), ({"retention_days": 365}, ("PaymentCardNumber",), 90),
    ({"retention_days": 365, "subject_kind": "impersonated-victim"}, (), 90),
    ({"retention_days": 365, "subject_kind": "impersonated-victim", "personal": "no"}, (), 365),
]


@pytest.mark.parametrize(("defaults", "held", "days"), DAYS)
def test_a_default_retention_adapts_to_the_maxima(defaults: dict[str, Any], held: tuple[str, ...], days: int) -> None:
    merged = merge_terms(Terms(), {**DEFAULTS, **defaults}, AT, load(), held)
    assert moment(str(merged.life.retention_until)) == moment(AT) + days * 86_400_000_000


def test_a_stated_retention_does_not() -> None:
    terms = merge_terms(Terms(life=Life(retention_until="2028-01-01T00:00:00Z")), DEFAULTS, AT, load())
    assert [refusal.code for refusal in admit(push(terms, categories=["Username"]), load())] == ["retention-too-long"]


def test_the_servers_programme_demands_evidence_and_review() -> None:
    terms = merge_terms(Terms(basis=Basis(
        ("A6-1-f",), ("A9-2-e",), refs={"lia": "x", "notice_deferral": "y"}, notice="deferred"),
        data=PersonalData("yes", special_categories=("PoliticalOpinion",))), DEFAULTS, AT)
    facts = push_facts(object_facts(terms, owner="org-north", community="circle"), PRODUCER, AT,
                       programme=load().programme)
    assert [refusal.code for refusal in admit(facts, load())] == [
        "special-category-basis-missing", "notice-deferral-unjustified"]


@pytest.mark.parametrize("name", sorted(load().sharing))
def test_every_sharing_pack_lets_a_plain_object_in(name: str) -> None:
    terms = merge_terms(Terms(), load().terms(name), AT)
    held = [] if terms.data.personal == "no" else ["Username"]
    assert admit(push(terms, categories=held), load()) == ()
