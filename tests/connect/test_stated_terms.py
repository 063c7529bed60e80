"""Terms as markings: an object read back with them has the terms that defaults would have given it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.stated_terms import TermsWriter
from exchange.errors import InputError
from exchange.model.terms import Audience, Basis, Life, PersonalData, Terms
from exchange.policy.merge import merge_terms
from exchange.policy.packs import load
from exchange.stix.extensions import HANDLING, extension_fault
from exchange.stix.markings import StatedTerms, read_terms
from exchange.stix.validate import check

AT = "2026-01-01T00:00:00Z"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
FULL: dict[str, Any] = {
    "tlp": "TLP:AMBER", "regime": "EU-GDPR", "legal_basis": ["A6-1-f"], "refs": {"lia": "made-up"},
    "purposes": ["cib-detection", "account-integrity"], "notice": "public-notice", "retention_days": 30,
    "personal": "yes", "categories": ["Username"], "subject_kind": "inauthentic-persona",
    "sharing_groups": ["circle"], "exclude_orgs": ["org-x"], "requires_agreements": [{"id": "base", "min_version": 1}],
}
HANDLINGS: list[dict[str, Any]] = [
    {"purposes": ["cib-detection"]}, {"legal_basis": ["A6-1-e"], "refs": {"law": "made-up"}}, {"retention_days": 5},
    {"regime": "US"}, {"data": {"personal": "no"}}, {"data": {"subject_kind": "organisation"}},
    {"audience": {"named_orgs": ["org-b"]}}, {"audience": {"exclude_orgs": ["org-y"]}}, {"notice": "public-notice"},
    {"legal_basis": ["A6-1-e"], "refs": {"law": "made-up"}, "purposes": ["cib-detection"], "research_compatible": True},
    {"requires_agreements": ["other"]},
]


def marking(handling: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "marking-definition", "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
            "id": "marking-definition--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
            "extensions": {HANDLING: {"extension_type": "property-extension", **handling}}}


def domain(*refs: str) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "domain-name", "spec_version": "2.1", "value": "a.example",
                            "id": "domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01"}
    return {**item, "object_marking_refs": list(refs)} if refs else item


def raw(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item).encode()


def as_terms(stated: StatedTerms) -> Terms:
    life = stated.life or Life()
    if stated.retention_days is not None:
        days = merge_terms(Terms(), {"retention_days": stated.retention_days}, AT).life.retention_until
        life = Life(retention_until=min(filter(None, (life.retention_until, days))), not_before=life.not_before)
    return Terms(markings=stated.markings, audience=stated.audience or Audience(), basis=stated.basis or Basis(),
                 data=stated.data or PersonalData(), life=life, regime=stated.regime,
                 requires_agreements=stated.requires_agreements or ())


def level(terms: Terms) -> Any:
    return terms.markings.tlp or terms.markings.tlp1 or terms.markings.collection_default


@given(st.one_of(st.none(), st.sampled_from(HANDLINGS)), st.sampled_from([(), (GREEN,), (RED,)]))
def test_what_is_written_means_what_defaults_would_have_filled_in(
    own: Mapping[str, Any] | None, levels: tuple[str, ...]
) -> None:
    writer = TermsWriter(FULL)
    known: dict[str, Any] = {}
    refs = list(levels)
    if own is not None:
        known[marking(own)["id"]] = marking(own)
        refs.append(marking(own)["id"])
        writer.write(raw(marking(own)))
    body, made = writer.write(raw(domain(*refs)))
    for one in map(json.loads, made):
        known[one["id"]] = one
    read = as_terms(read_terms(json.loads(body), known.get))
    filled = merge_terms(as_terms(read_terms(domain(*refs), known.get)), FULL, AT)
    assert (read.audience, read.basis, read.data, read.life, read.regime, read.requires_agreements) == (
        filled.audience, filled.basis, filled.data, filled.life, filled.regime, filled.requires_agreements)
    assert str(level(read)).strip("(),'") == str(level(filled)).strip("(),'")


@pytest.mark.parametrize("pack", ["demo", "government-published", "meta-threat-research"])
def test_what_is_written_for_a_shipped_pack_is_valid_and_the_same_each_time(pack: str) -> None:
    terms = load().terms(pack)
    (body, made), (again, twice) = (TermsWriter(terms).write(raw(domain())) for _ in range(2))
    assert (body, made) == (again, twice)
    assert check(json.loads(body)) is None
    assert check(json.loads(made[0])) is None
    assert extension_fault(json.loads(made[0])) is None


def test_an_object_whose_markings_are_not_known_is_sent_as_it_is() -> None:
    item = raw(domain("marking-definition--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c77"))
    assert TermsWriter(FULL).write(item) == (item, [])


def test_a_level_that_there_is_not_is_told() -> None:
    with pytest.raises(InputError, match="no TLP"):
        TermsWriter({"tlp": "TLP:PURPLE"})
