"""R9: what is called CIB names the behaviour that deceives, itself or in its envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange.stix.behaviour import behaviours_in, fault_of_missing_behaviour, labels_cib_without_behaviour
from exchange.stix.extensions import CAMPAIGN

Make = Callable[..., dict[str, Any]]
_ID = "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"
PHASES = [{"kill_chain_name": "disarm", "phase_name": "plan"}]


def _extension(**content: Any) -> dict[str, Any]:
    return {CAMPAIGN: {"extension_type": "property-extension", **content}}


@pytest.mark.parametrize(("type_name", "changes", "missing"), [
    ("campaign", {}, False),
    ("campaign", {"labels": ["spam"]}, False),
    ("campaign", {"labels": ["cib"]}, True),
    ("campaign", {"labels": ["CIB "]}, True),
    ("campaign", {"labels": ["Coordinated Inauthentic Behaviour"]}, True),
    ("campaign", {"labels": ["coordinated_inauthentic_behavior"]}, True),
    ("campaign", {"labels": ["x", "influence-operation"]}, True),
    ("campaign", {"labels": ["CIB network"]}, True),
    ("campaign", {"labels": ["#cib"]}, True),
    ("campaign", {"labels": ["takedown:cib-2026"]}, True),
    ("campaign", {"labels": ["Influence operations"]}, True),
    ("campaign", {"labels": ["cibola", "describe"]}, False),
    ("campaign", {"labels": ["cib"], "kill_chain_phases": [{"kill_chain_name": "z", "phase_name": "y"}]}, True),
    ("campaign", {"labels": ["cib"], "external_references": [
        {"source_name": "DISARM", "external_id": "hello"}]}, True),
    ("campaign", {"labels": ["cib"], "external_references": [
        {"source_name": "meta-ookc", "external_id": "0.9.1"}]}, False),
    ("x-network", {"labels": ["cib"]}, True),
    ("report", {"labels": ["cib"]}, True),
    ("report", {"labels": ["cib"], "object_refs": [f"attack-pattern--{_ID}"]}, False),
    ("grouping", {"labels": ["cib"]}, True),
    ("incident", {"labels": ["cib"]}, True),
    ("incident", {"labels": ["cib"], "kill_chain_phases": PHASES}, False),
    ("indicator", {"labels": ["cib"]}, True),
    ("indicator", {"labels": ["cib"], "kill_chain_phases": PHASES}, False),
    ("intrusion-set", {"labels": ["cib"]}, True),
    ("intrusion-set", {"labels": ["cib"], "external_references": [
        {"source_name": "DISARM", "external_id": "T0049"}]}, False),
    ("intrusion-set", {"labels": ["cib"], "external_references": [{"source_name": "blog"}]}, True),
    ("campaign", {"extensions": _extension(campaign_class="influence-operation")}, True),
    ("campaign", {"extensions": _extension(campaign_class="spam")}, False),
    ("campaign", {"extensions": _extension(campaign_class="influence-operation", behaviours=[
        {"framework": "DISARM", "framework_version": "1.7", "id": "T0049", "observation": "observed"}])}, False),
    ("attack-pattern", {"labels": ["cib"]}, False),
    ("identity", {"labels": ["cib"]}, False),
    ("url", {"labels": ["cib"]}, False),
])
def test_an_object_alone(make: Make, type_name: str, changes: dict[str, Any], missing: bool) -> None:
    obj = make(type_name, **changes)
    assert missing is labels_cib_without_behaviour(obj)
    fault = fault_of_missing_behaviour(obj)
    assert missing is (fault is not None)
    if fault is not None:
        assert (fault.code, fault.property) == ("behaviour-missing", "labels")


def test_a_uses_relationship_in_the_same_envelope_names_the_behaviour(make: Make) -> None:
    campaign = make("campaign", labels=["cib"])
    assert fault_of_missing_behaviour(campaign, behaviours_in([campaign, make("relationship")])) is None
    unrelated = make("relationship", source_ref="campaign--1c7b5b88-8ff7-4a4d-aa9d-feb398cd0061")
    assert fault_of_missing_behaviour(campaign, behaviours_in([campaign, unrelated])) is not None
    other_kind = make("relationship", relationship_type="related-to")
    assert fault_of_missing_behaviour(campaign, behaviours_in([campaign, other_kind])) is not None


def test_an_indicator_and_a_report_take_the_behaviour_of_the_campaign_that_they_point_at(make: Make) -> None:
    campaign = make("campaign", extensions=_extension(behaviours=[{"framework": "DISARM", "id": "T0049"}]))
    indicator, report = make("indicator", labels=["cib"]), make("report", labels=["cib"])
    indicates = make("relationship", relationship_type="indicates", source_ref=indicator["id"],
                     target_ref=campaign["id"])
    named = behaviours_in([campaign, indicator, report, indicates])
    assert (fault_of_missing_behaviour(indicator, named), fault_of_missing_behaviour(report, named)) == (None, None)


@pytest.mark.parametrize("labels", ["cib", 5, {"cib": 1}, [5, None, {"a": 1}], []])
def test_odd_labels_name_nothing(make: Make, labels: object) -> None:
    assert fault_of_missing_behaviour(make("url", labels=labels)) is None
    assert fault_of_missing_behaviour({"type": "campaign", "labels": labels}) is None
