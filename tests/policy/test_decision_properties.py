"""What holds for every decision: restrictions never widen, order never matters, codes are known, nothing raises."""

from __future__ import annotations

import copy
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import facts

from exchange.policy.decide import decide
from exchange.policy.packs import load
from exchange.policy.rules import ACTION_RULES, CODES, RULES
from exchange.policy.shape import ACTIONS, ACTS, TLP_WORDS

_ORGS = ["org-north", "org-south", "org-east"]
_GROUPS = ["integrity-circle", "g1", "g7"]
_TIMES = ["2025-01-01T00:00:00Z", "2026-03-01T09:00:00Z", "2027-01-01T00:00:00Z"]
_PURPOSES = ["cib-detection", "account-integrity", "research", "advertising"]
_KINDS = ["platform", "government", "researcher"]
_RANK = {"deny": 0, "redact": 1, "allow": 2}


def _some(words: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), max_size=3)


_IEP = st.fixed_dictionaries({"iep_version": st.sampled_from([2.0, 2.0, 2.0, 1.0])}, optional={
    "tlp": st.sampled_from(["WHITE", "GREEN", "AMBER", "RED"]), "start_date": st.sampled_from(_TIMES),
    "end_date": st.sampled_from(_TIMES), "encrypt_in_transit": st.sampled_from(["must", "may"]),
    "permitted_actions": st.sampled_from(["none", "contact-for-instruction", "internally-visible-actions",
                                          "externally-visible-direct-actions"]),
    "affected_party_notifications": st.sampled_from(["may", "must-not"])})
_GRANULAR = st.fixed_dictionaries({"selector": st.sampled_from(["name", "description", "pattern"])}, optional={
    "tlp": st.sampled_from(list(TLP_WORDS)), "groups": _some(_GROUPS)})
_MEMBERSHIP = st.fixed_dictionaries({"id": st.sampled_from(_GROUPS)}, optional={
    "since": st.sampled_from(_TIMES), "until": st.sampled_from(_TIMES),
    "status": st.sampled_from(["active", "active", "suspended"])})
_CHANGES = st.fixed_dictionaries({}, optional={
    "object.markings.tlp": _some(list(TLP_WORDS)), "object.markings.tlp1": _some(["TLP:WHITE", "TLP:AMBER"]),
    "object.markings.iep": st.lists(_IEP, max_size=2), "object.markings.pap": _some(["PAP:RED", "PAP:GREEN"]),
    "object.markings.granular": st.lists(_GRANULAR, max_size=2),
    "object.audience.sharing_groups": _some(_GROUPS), "object.audience.named_orgs": _some(_ORGS),
    "object.audience.named_persons": _some(["anne", "ben"]), "object.audience.exclude_orgs": _some(_ORGS),
    "object.audience.kinds_allowed": _some(_KINDS), "object.audience.kinds_denied": _some(_KINDS),
    "object.basis.purposes": _some(_PURPOSES), "object.basis.legal_basis": _some(["A6-1-f", "A6-1-a", "UK-A6-1-f"]),
    "object.basis.refs": st.just({"lia": "x"}), "object.basis.research_compatible": st.booleans(),
    "object.data.personal": st.sampled_from(["yes", "no", "unknown"]),
    "object.data.categories": _some(["Username", "IPAddress"]), "object.owner": st.sampled_from(_ORGS),
    "object.life.revoked": st.booleans(), "object.life.retention_until": st.sampled_from(_TIMES),
    "actor.groups": st.lists(_MEMBERSHIP, max_size=3), "actor.clearance": st.sampled_from(list(TLP_WORDS)),
    "actor.purposes": _some(_PURPOSES), "actor.jurisdiction_class": st.sampled_from(["EEA", "third"]),
    "actor.research_safeguards": st.just("plan"), "actor.received_before": st.booleans(),
    "request.purpose": st.sampled_from(_PURPOSES), "request.act": st.sampled_from(list(ACTS)),
    "request.principal": st.sampled_from([{"kind": "service"}, {"kind": "person", "person": "anne"}]),
    "request.channel": st.sampled_from([{"encrypted": True}, {"encrypted": False}, {"public": True}]),
    "action": st.sampled_from([action for action in ACTIONS if action not in {"act", "reshare"}]),
})


def _with(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(base)
    *tables, last = path.split(".")
    table = changed
    for name in tables:
        table = table.setdefault(name, {})
    held = table.get(last)
    table[last] = [*held, value] if isinstance(held, list) else [value] if path in _LISTS else value
    return changed


_LISTS = {"object.markings.tlp", "object.markings.iep", "object.markings.pap", "object.markings.granular",
          "object.audience.exclude_orgs", "object.audience.kinds_denied", "object.requires_agreements"}
_RESTRICTIONS = [
    ("object.markings.iep", {"iep_version": 2.0, "tlp": "AMBER"}),
    ("object.markings.iep", {"iep_version": 2.0, "end_date": "2026-03-01T09:00:00Z"}),
    ("object.markings.iep", {"iep_version": 2.0, "encrypt_in_transit": "must"}),
    ("object.markings.pap", "PAP:RED"),
    ("object.markings.granular", {"selector": "name", "tlp": "TLP:RED"}),
    ("object.audience.exclude_orgs", "org-south"), ("object.audience.kinds_denied", "platform"),
    ("object.audience.kinds_allowed", []), ("object.requires_agreements", {"id": "x", "min_version": 1}),
    ("object.life.not_before", "2027-01-01T00:00:00Z"), ("object.life.retention_until", "2026-03-01T09:00:00Z"),
    ("object.markings.iep", {"iep_version": 2.0, "attribution": "must-not"}),
    ("object.markings.iep", {"iep_version": 2.0, "attribution": "must"}),
    ("object.markings.pap", "PAP:AMBER"), ("object.refs", [{"id": "x--1", "visible": False}]),
    ("object.internal_methods", ["description"]), ("object.counts", {"accounts": 1}),
    ("object.data.criminal_offence", True), ("object.data.communications_content", True),
    ("object.data.special_categories", ["PoliticalOpinion"]), ("object.data.subject_kind", "impersonated-victim"),
    ("object.retention_max_days", 1), ("programme.max_retention_days", 1), ("programme.min_count", 1_000),
    ("programme.no_government_access", True), ("programme.no_government_contributions", True),
    ("programme.demand_public_evidence", True), ("programme.demand_review_date", True),
    ("object.life.disputed", True), ("object.life.restricted", "contested"), ("object.life.legal_hold", True), ("actor.clearance", "TLP:CLEAR"),
]


@given(_CHANGES, st.sampled_from(_RESTRICTIONS))
@settings(max_examples=400, deadline=None)
def test_a_restriction_never_widens(changes: dict[str, Any], restriction: tuple[str, Any]) -> None:
    # A level on an unmarked object is no restriction: it is the marking that was missing.
    base = facts({**changes, "object.markings.tlp": changes.get("object.markings.tlp") or ["TLP:GREEN"]})
    assert _RANK[decide(_with(base, *restriction), load()).decision] <= _RANK[decide(base, load()).decision]


@given(_CHANGES, st.sampled_from(TLP_WORDS))
@settings(max_examples=200, deadline=None)
def test_a_further_tlp_on_a_marked_object_never_widens_it(changes: dict[str, Any], label: str) -> None:
    base = facts({**changes, "object.markings.tlp": changes.get("object.markings.tlp") or ["TLP:GREEN"]})
    assert _RANK[decide(_with(base, "object.markings.tlp", label), load()).decision] <= _RANK[
        decide(base, load()).decision]


@given(_CHANGES)
@settings(max_examples=200, deadline=None)
def test_losing_a_membership_never_widens(changes: dict[str, Any]) -> None:
    base = facts(changes)
    before = _RANK[decide(base, load()).decision]
    for place in range(len(base["actor"]["groups"])):
        fewer = copy.deepcopy(base)
        del fewer["actor"]["groups"][place]
        assert _RANK[decide(fewer, load()).decision] <= before


@given(_CHANGES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_lists_does_not_matter(changes: dict[str, Any], chance: random.Random) -> None:
    base = facts(changes)
    first, second = decide(base, load()), decide(_shuffled(base, chance), load())
    assert (first.decision, first.reasons, first.redact) == (second.decision, second.reasons, second.redact)


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(item, chance) for key, item in value.items()}
    if isinstance(value, list):
        return chance.sample([_shuffled(item, chance) for item in value], len(value))
    return value


@given(_CHANGES)
@settings(max_examples=200, deadline=None)
def test_every_reason_is_a_known_code_with_words(changes: dict[str, Any]) -> None:
    decision = decide(facts(changes), load())
    assert set(decision.reasons) <= set(CODES)
    assert all(reason.citation and reason.finding.found and reason.finding.needed for reason in decision.explain)
    assert (decision.decision == "allow") == all(reason.finding.outcome == "flag" for reason in decision.explain)


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8)


@given(_JSON, st.sampled_from(["", "action", "at", "request", "object", "object.markings", "object.markings.tlp",
                               "object.markings.iep", "object.life", "actor", "actor.groups", "actor.clearance"]))
@settings(max_examples=300, deadline=None)
def test_facts_that_are_none_deny_and_never_raise(junk: Any, path: str) -> None:
    base = facts({})
    if not path:
        assert decide(junk, load()).decision == "deny"
        return
    *tables, last = path.split(".")
    table = base
    for name in tables:
        table = table[name]
    table[last] = junk
    assert decide(base, load()).decision in _RANK


def test_a_rule_that_fails_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.policy.rules.personal.in_force", None)
    broken = facts({"object.data.personal": "yes", "object.basis.legal_basis": ["A6-1-f"],
                    "object.basis.refs": {"lia": "x"}, "actor.jurisdiction_class": "third",
                    "actor.transfer": [{"id": "A45-3"}]})
    assert decide(broken, load()).reasons == ("rule-failed",)


def test_every_action_is_ruled() -> None:
    assert set(ACTION_RULES) == set(ACTIONS)
    assert all(ACTION_RULES.values())


def test_every_rule_says_what_it_is() -> None:
    assert all(rule.title and rule.citation and rule.needs and set(rule.codes) <= set(CODES) for rule in RULES)


def test_every_reason_comes_from_a_rule_that_declares_it() -> None:
    from test_duties_table import ALL as DUTIES_ROWS
    from test_release_table import ALL as RELEASE_ROWS
    from test_terms_table import ALL as TERMS_ROWS

    declared = {code for rule in RULES for code in rule.codes}
    given_codes = {code for _, changes, _, _ in RELEASE_ROWS + TERMS_ROWS + DUTIES_ROWS
                   for code in decide(facts(changes), load()).reasons}
    assert given_codes == declared
