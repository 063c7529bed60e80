"""What a form is in STIX: whose ids, which relations, what is never an indicator, what is told of the provider."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ailab.check import faults
from exchange.ailab.convert import to_stix
from exchange.ailab.terms import tlp_id
from exchange.stix.behaviour import behaviours_in, labels_cib_without_behaviour
from exchange.stix.extensions import ACCOUNT, CAMPAIGN, EVIDENCE, HANDLING, RELATIONSHIP, of
from exchange.stix.handling import IEP_EXTENSION
from exchange.stix.tlp import TLP2_IDS
from exchange.stix.validate import check
from tests.fakes.lab_reports import FULL, SMALL, Form, form

Objects = dict[str, dict[str, Any]]


def made(document: Form = FULL) -> Objects:
    assert faults(document) == []
    return {one["id"]: one for one in to_stix(document)}


def types(objects: Objects, name: str) -> list[dict[str, Any]]:
    return [one for one in objects.values() if one["type"] == name]


def says(one: dict[str, Any]) -> Any:
    return of(one, RELATIONSHIP)


@pytest.mark.parametrize("document", [SMALL, FULL, form(status="withdrawn"), form(handling__name_provider="must-not")],
                         ids=["small", "full", "withdrawn", "not named"])
def test_every_object_is_valid_has_one_id_and_the_same_bytes_each_time(document: Form) -> None:
    objects = to_stix(document)
    assert [check(one) for one in objects] == [None] * len(objects)
    assert len({one["id"] for one in objects}) == len(objects)
    assert json.dumps(objects) == json.dumps(to_stix(document))


def test_the_report_refers_to_everything_it_says_and_markings_come_first() -> None:
    objects = to_stix(FULL)
    report = objects[-1]
    assert report["type"] == "report"
    rest = [one["id"] for one in objects[:-1] if one["type"] != "marking-definition"]
    assert sorted(report["object_refs"]) == sorted(rest)
    kinds = [one["type"] for one in objects]
    assert kinds[: kinds.count("marking-definition")] == ["marking-definition"] * kinds.count("marking-definition")
    known = {one["id"] for one in objects} | set(TLP2_IDS)
    assert all(ref in known for one in objects for ref in one["object_marking_refs"])


def test_only_what_is_operated_becomes_an_indicator_of_the_network() -> None:
    objects = made()
    named = {one["name"]: one["indicator_types"] for one in types(objects, "indicator")}
    assert named == {"X profile lorem_ipsum9": ["attribution"], "Domain name dolor-news.example": ["attribution"],
                     "Web address https://fact-check.example/lorem": ["benign"]}  # fmt: skip
    relations = Counter(says(one).get("relation") for one in types(objects, "relationship") if one["relationship_type"] == "related-to")
    assert relations == {"impersonated": 1, "targeted": 1, "legitimate-mention": 1, "unknown": 1, "operated": 2, None: 2}


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["operated", "targeted", "impersonated", "legitimate-mention", "unknown"]),
                          st.sampled_from(["domain", "url", "account"])), max_size=6))  # fmt: skip
def test_targets_and_outlets_never_become_indicators(told: list[tuple[int, str, str]]) -> None:
    values = {"domain": "d{}.example", "url": "https://d{}.example/a", "account": "https://x.com/lorem_{}"}
    document = form(external_assets=[
        {"type": kind, "value": values[kind].format(number), "seen_as": "named-in-output", "relation": relation}
        for number, relation, kind in told
    ])  # fmt: skip
    if faults(document):
        return
    patterns = " ".join(one["pattern"] for one in types(made(document), "indicator") if one["indicator_types"] != ["benign"])
    for number, relation, kind in told:
        value = {"domain": f"domain-name:value = 'd{number}.example'", "url": f"'https://d{number}.example/a'",
                 "account": f"'lorem_{number}'"}[kind]  # fmt: skip
        own = any(one == (number, "operated", kind) for one in told)
        assert (value in patterns) == own, (relation, value)


def test_shared_hosts_are_told_and_no_indicator() -> None:
    objects = made(form(external_assets=[{"type": "domain", "value": "bit.ly", "seen_as": "named-in-output", "relation": "operated"}]))
    assert types(objects, "indicator") == []
    (part,) = [one for one in types(objects, "relationship") if one.get("description", "").startswith("No indicator by itself")]
    assert says(part)["relation"] == "operated"


def test_each_subject_is_one_account_and_two_never_merge() -> None:
    accounts = [of(one, ACCOUNT) for one in types(made(), "user-account") if of(one, ACCOUNT).get("hashed_identifiers")]
    assert sorted(len(one["hashed_identifiers"]) for one in accounts) == [1, 2]
    ids = {one["user_id"] for one in types(made(), "user-account") if "user_id" in one}
    assert sorted(one.partition(":")[0] for one in ids) == ["hmac-sha256", "subject"]
    others = {one["user_id"] for one in types(made(form(report_id="rpt-other")), "user-account") if "user_id" in one}
    assert len(ids & others) == 1  # the one that is known by its own id is one account in both reports


def test_each_claim_stands_alone() -> None:
    claims = {says(one)["claim_type"]: one for one in types(made(), "relationship") if "claim_type" in says(one)}
    origin, link = claims["originated-in"], claims["linked-to"]
    assert (origin["relationship_type"], origin["confidence"]) == ("originates-from", 50)
    assert says(origin)["basis"] == ["technical-infrastructure", "language", "timing"]
    assert origin["description"] == "Alternatives considered: a contractor elsewhere"
    assert (link["relationship_type"], link["confidence"]) == ("related-to", 15)


def test_figures_stand_in_the_campaign_and_records_in_the_evidence() -> None:
    objects = made()
    (campaign,), (report,) = types(objects, "campaign"), types(objects, "report")
    told = of(campaign, CAMPAIGN)
    assert (campaign["name"], campaign["aliases"]) == ("Operation Dolor", ["Amet"])
    assert told["campaign_class"] == "influence-operation"
    assert told["breakout"] == {"category": 2, "basis": "little engagement outside of its own accounts", "date": "2026-06-01"}
    assert told["assets_actioned"][0]["count"] == 23
    assert [one["value"] for one in told["audience"]] == [12000, 0]
    assert told["audience"][1]["text"] == "0.031"
    assert [one["held"] for one in of(report, EVIDENCE)["records"]] == [True, False]
    assert "hashtag #loremipsum: operated, named-in-output." in of(report, EVIDENCE)["notes"]
    assert {"SHA-256", "TLSH"} == {name for one in types(objects, "file") for name in one["hashes"]}
    assert not [one for one in objects.values() if labels_cib_without_behaviour(one) and one["id"] not in behaviours_in(objects.values())]


def test_a_cluster_that_continues_another_points_at_its_campaign() -> None:
    earlier = types(made(form(cluster__cluster_id="CL-31", cluster__continues_cluster=[])), "campaign")[0]["id"]
    (link,) = [one for one in types(made(), "relationship") if says(one).get("kind") == "recidivist-of"]
    assert link["target_ref"] == earlier


def test_a_new_version_keeps_ids_and_created_and_is_newer() -> None:
    first, second = made(), made(form(version=2))
    assert set(first) == set(second)
    for stix_id, one in first.items():
        assert one.get("created") == second[stix_id].get("created")
        assert one.get("modified", "") <= second[stix_id].get("modified", "")
    report = types(second, "report")[0]
    assert report["modified"] > types(first, "report")[0]["modified"]


def test_two_labs_share_no_domain_object() -> None:
    first, second = made(), made(form(provider={"name": "Dolor AI"}))
    shared = {one.partition("--")[0] for one in set(first) & set(second)}
    assert shared <= {"user-account", "domain-name", "url", "file"}


@pytest.mark.parametrize("name_provider", ["must-not", None])
def test_a_provider_is_named_only_where_it_says_so(name_provider: str | None) -> None:
    document = form(handling__name_provider=name_provider)
    if name_provider is None:
        del document["handling"]["name_provider"]
    text = json.dumps(to_stix(document)).casefold()
    assert not [word for word in ("lorem ai", "lorem.example", "lorem-4", "rpt-7f3a", "created_by_ref") if word in text]
    assert "lorem ai" in json.dumps(to_stix(FULL)).casefold()


DISCLOSED = [("full-to-recipients", True), ("category-only", False), ("none", False), (None, False)]


@pytest.mark.parametrize(("level", "told"), DISCLOSED)
def test_how_it_was_found_is_told_only_where_the_provider_says_so(level: str | None, told: bool) -> None:
    document = form(detection_disclosure=level)
    if level is None:
        del document["detection_disclosure"]
    text = json.dumps(to_stix(document))
    for words in ("outputs logged by the provider", "Comments in bursts", "a contractor elsewhere"):
        assert (words in text) == told
    assert "T0116.001" in text


TLPS = [("clear", False, "TLP:CLEAR"), ("green", False, "TLP:GREEN"), ("amber", False, "TLP:AMBER+STRICT"),
        ("amber", True, "TLP:AMBER"), ("amber+strict", True, "TLP:AMBER+STRICT"), ("red", False, "TLP:RED")]  # fmt: skip


@pytest.mark.parametrize(("tlp", "onward", "expected"), TLPS)
def test_nothing_is_marked_wider_than_it_was_meant(tlp: str, onward: bool, expected: str) -> None:
    assert TLP2_IDS[tlp_id(form(handling__tlp=tlp, handling__onward_sharing=onward))] == expected


BASES = [
    ("GDPR", "Art. 6(1)(f)", "EU-GDPR", ["A6-1-f"], None), ("EU GDPR", "Article 6 (1) (e)", "EU-GDPR", ["A6-1-e"], None),
    ("gdpr", "legitimate interests", "EU-GDPR", ["A6-1-f"], None), ("GDPR", "A6-1-f, A9-2-e", "EU-GDPR", ["A6-1-f"], ["A9-2-e"]),
    ("UK GDPR", "Art. 6(1)(f); Art. 9(2)(g)", "UK-GDPR", ["UK-A6-1-f"], ["UK-A9-2-g"]),
    ("US", "18 USC 2702(b)(8)", "US", ["US-SCA-2702-b-8"], None),
]  # fmt: skip


@pytest.mark.parametrize(("regime", "basis", "expected", "legal", "special"), BASES)
def test_lawful_bases_are_written_in_the_exchanges_words(
    regime: str, basis: str, expected: str, legal: list[str], special: list[str] | None
) -> None:
    document = form(handling__legal_basis={"regime": regime, "basis": basis, "assessment_ref": "LIA-1"})
    told = [one["extensions"][HANDLING] for one in types(made(document), "marking-definition")]
    assert {one["regime"] for one in told} == {expected}
    assert told[0]["legal_basis"] == legal
    assert told[0].get("special_basis") == special
    assert told[0]["refs"]["lia"] == "LIA-1"


def test_those_whom_a_network_targets_have_stricter_terms() -> None:
    objects = made()
    (voter,) = [one for one in types(objects, "user-account") if one.get("account_login") == "a_real_voter"]
    (marking,) = [objects[ref] for ref in voter["object_marking_refs"] if ref in objects]
    told = marking["extensions"][HANDLING]
    assert told["data"]["subject_kind"] == "impersonated-victim"
    assert told["retention_days"] == 30
    assert marking["extensions"][IEP_EXTENSION]["end_date"] == "2027-03-01T00:00:00Z"


def test_a_withdrawn_form_revokes_all_that_it_said_and_gives_nothing_else() -> None:
    objects = made(form(status="withdrawn", version=2))
    said = [one for one in objects.values() if one["type"] != "marking-definition"]
    assert all(one["revoked"] is True for one in said)
    assert {one["type"] for one in said} == {"report", "indicator", "relationship", "infrastructure"}
