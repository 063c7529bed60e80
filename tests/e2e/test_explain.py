"""Explanations over HTTP and on the command line agree with what the server gives, and tell nobody too much."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import collection_id
from tests.e2e.stix_objects import DAY, TLP, fixed_id, handling, indicator

PATH = "/api/v1/explanations"
READERS = ("alpha", "beta", "gamma", "delta", "outside")
SHARED: dict[str, tuple[dict[str, Any], ...]] = {
    "green": (indicator("green", object_marking_refs=[TLP["GREEN"]]),),
    "clear": (indicator("clear", object_marking_refs=[TLP["CLEAR"]]),),
    "amber to nobody": (indicator("amber", object_marking_refs=[TLP["AMBER"]]),),
    "amber to a group": (
        handling("group", audience={"sharing_groups": ["inner"]}),
        indicator("group", object_marking_refs=[TLP["AMBER"], handling("group")["id"]]),
    ),
    "amber to one": (
        handling("one", audience={"named_orgs": ["org-gamma"]}),
        indicator("one", object_marking_refs=[TLP["AMBER+STRICT"], handling("one")["id"]]),
    ),
    "all but one": (
        handling("but", audience={"exclude_orgs": ["org-beta"]}),
        indicator("but", object_marking_refs=[TLP["GREEN"], handling("but")["id"]]),
    ),
    "a part for nobody": (indicator(
        "part", description="For the producer alone", object_marking_refs=[TLP["GREEN"]],
        granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": ["description"]}]),),
    "a required part for nobody": (indicator(
        "required part", object_marking_refs=[TLP["GREEN"]],
        granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": ["pattern"]}]),),
    "red": (indicator("red", object_marking_refs=[TLP["RED"]]),),
    "another purpose": (
        handling("purpose", purposes=["account-integrity"]),
        indicator("purpose", object_marking_refs=[TLP["GREEN"], handling("purpose")["id"]]),
    ),
}


def ask(caller: HttpCaller, **query: str) -> Any:
    return caller.get(PATH, query)


@pytest.mark.parametrize("name", SHARED)
def test_what_is_explained_is_what_is_delivered(exchange: ExchangeProcess, alpha: HttpCaller, name: str) -> None:
    lane = exchange.next_lane()
    pushed = alpha.push(lane + "objects/", SHARED[name])
    assert [f["message"] for f in pushed.json.get("failures", [])] == []
    stix_id, collection = SHARED[name][-1]["id"], collection_id(lane.split("/")[4])
    for reader in READERS:
        answer = ask(alpha, object=stix_id, collection=collection, **{"for": f"org-{reader}"})
        (explained,) = answer.json["explanations"]
        seen = exchange.caller(reader).get(f"{lane}objects/")
        released = explained["released_as"] or stix_id
        visible = seen.status == 200 and released in seen.ids
        assert explained["released_as"] is None or stix_id not in seen.ids
        assert (explained["outcome"] != "denied") == explained["shown"] == visible, (reader, explained)
        assert bool([r for r in explained["reasons"] if r["effect"] == "deny"]) != visible
        for reason in explained["reasons"]:
            assert reason["rule"].startswith("P")
            assert reason["citation"]
            assert reason["found"]
            assert reason["needed"]


def test_what_would_have_to_change_names_the_fact(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    marking = handling("inner too", audience={"sharing_groups": ["inner"]})
    one = indicator("inner too", object_marking_refs=[TLP["AMBER"], marking["id"]])
    alpha.push(lane + "objects/", [marking, one])
    (explained,) = ask(alpha, object=one["id"], **{"for": "org-gamma"}).json["explanations"]
    assert {r["code"] for r in explained["reasons"]} >= {"tlp-amber"}
    smallest = explained["would_have_to_change"]
    assert all(len(changes) == 1 for changes in smallest)
    assert "The recipient is an active member of inner." in {changes[0]["sentence"] for changes in smallest}
    exchange.apply('[[membership]]\norg = "org-gamma"\ngroup = "inner"\n')
    try:
        assert exchange.caller("gamma").get(f"{lane}objects/{one['id']}/").status == 200
    finally:
        exchange.cibx("org", "leave", "org-gamma", "inner")
    assert exchange.caller("gamma").get(f"{lane}objects/{one['id']}/").status == 404


def test_a_recipient_is_told_of_what_it_sees_and_else_as_of_an_unknown_id(
    alpha: HttpCaller, beta: HttpCaller, gamma: HttpCaller, lane: str
) -> None:
    marking = handling("for inner", audience={"sharing_groups": ["inner"]})
    one = indicator("for inner", object_marking_refs=[TLP["AMBER"], marking["id"]])
    alpha.push(lane + "objects/", [marking, one])
    (explained,) = ask(beta, object=one["id"]).json["explanations"]
    assert explained["outcome"] == "granted"
    assert explained["policy_version"]
    assert {row["rule"] for row in explained["passed"]} >= {"P3", "P4", "P13"}
    unknown = ask(gamma, object=indicator("nowhere")["id"])
    assert unknown.status == 404
    for query in ({}, {"for": "org-beta"}, {"for": "org-alpha"}, {"for": "org-nobody"}, {"at": "2020-01-01T00:00:00Z"}):
        hidden = ask(gamma, object=one["id"], **query)
        nothing = ask(gamma, object=indicator("nowhere")["id"], **query)
        assert (hidden.status, hidden.body) == (nothing.status, nothing.body), query
    assert ask(beta, object=one["id"], **{"for": "org-gamma"}).body == unknown.body


def test_as_it_was(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    marking = handling("before", audience={"sharing_groups": ["inner"]})
    one = indicator("before", object_marking_refs=[TLP["AMBER"], marking["id"]])
    alpha.push(lane + "objects/", [marking, one])
    delta = exchange.caller("delta")
    exchange.apply('[[membership]]\norg = "org-delta"\ngroup = "inner"\n')
    (row,) = delta.get(f"{lane}objects/{one['id']}/").objects
    assert row["id"] == one["id"]
    marker = indicator("a moment")
    during = alpha.push(lane + "objects/", [marker]).json["request_timestamp"]
    exchange.cibx("org", "leave", "org-delta", "inner")
    assert delta.get(f"{lane}objects/{one['id']}/").status == 404

    def explained(*more: str) -> Any:
        text = exchange.cibx("policy", "explain", "--object", one["id"], "--for", "org-delta", "--json", *more)
        (found,) = json.loads(text)["explanations"]
        return found

    assert explained()["outcome"] == "denied"
    assert explained("--at", during)["outcome"] == "granted"
    words = exchange.cibx("policy", "explain", "--object", one["id"], "--for", "org-delta")
    assert "denied" in words
    assert "tlp-amber" in words
    assert "active member of inner" in words
    assert alpha.delete(f"{lane}objects/{one['id']}/").status == 200
    for more in ((), ("--at", during)):
        words = exchange.cibx("policy", "explain", "--object", one["id"], "--for", "org-delta", *more)
        assert "Its contributor deleted it." in words
        assert "the organisation asked about received it at" in words
        assert ("it was there at the time" in words) == bool(more)
    (row,) = ask(alpha, object=one["id"], at=during, **{"for": "org-delta"}).json["gone"]
    assert (row["why"], row["was_there"], len(row["received"])) == ("deleted", True, 1)
    assert ask(exchange.caller("gamma"), object=one["id"], at=during).status == 404


def test_who_received_it_is_told_why_it_no_longer_does(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    marking = handling("received", audience={"sharing_groups": ["inner"]})
    one = indicator("received", object_marking_refs=[TLP["AMBER"], marking["id"]])
    alpha.push(lane + "objects/", [marking, one])
    beta = exchange.caller("beta")
    assert one["id"] in beta.get(lane + "objects/").ids
    exchange.cibx("org", "leave", "org-beta", "inner")
    try:
        assert beta.get(f"{lane}objects/{one['id']}/").status == 404
        (explained,) = ask(beta, object=one["id"]).json["explanations"]
        assert explained["outcome"] == "denied"
        assert {reason["code"] for reason in explained["reasons"]} >= {"tlp-amber"}
    finally:
        exchange.cibx("org", "join", "org-beta", "inner")


@pytest.mark.parametrize("query", ["", "object=", "object=a&object=b", "object=a&at=yesterday", "object=a&who=b"])
def test_a_question_that_is_none_is_refused_in_words(alpha: HttpCaller, query: str) -> None:
    answer = alpha.get(f"{PATH}?{query}")
    assert answer.status == 400
    assert answer.json["description"]


def test_a_recipient_is_told_no_more_than_its_own_pulls_tell(
    exchange: ExchangeProcess, alpha: HttpCaller, gamma: HttpCaller, lane: str
) -> None:
    """Not of another purpose or person, not of the past, and of a derived object by its own id alone (P16, P20, P21)."""
    purpose = handling(f"purpose {lane}", purposes=["account-integrity"])
    other = indicator(f"other purpose {lane}", object_marking_refs=[TLP["GREEN"], purpose["id"]])
    hidden = indicator(f"hidden {lane}", object_marking_refs=[TLP["AMBER"]])
    plain, kept = indicator(f"plain {lane}"), indicator(f"restricted {lane}")
    note = {"type": "note", "spec_version": "2.1", "id": fixed_id("note", lane), "created": DAY, "modified": DAY,
            "content": "Both.", "object_refs": [hidden["id"], plain["id"]]}
    pushed = alpha.push(lane + "objects/", [purpose, other, hidden, plain, kept, note])
    assert pushed.json["failure_count"] == 0, pushed.body
    added = alpha.push(lane + "objects/", [indicator()]).json["request_timestamp"]
    (derived,) = [o for o in gamma.get(lane + "objects/", {"match[type]": "note"}).objects]
    alpha.post(f"/api/v1/objects/{kept['id']}/state", b'{"state": "restricted", "reason": "Checked again."}',
               content_type="application/json", accept=None)
    unknown = ask(gamma, object=indicator("nowhere")["id"])
    for question in (
        {"object": other["id"], "purpose": "account-integrity"}, {"object": plain["id"], "person": "ana@gamma.example"},
        {"object": note["id"]}, {"object": kept["id"]}, {"object": kept["id"], "at": added}, {"object": hidden["id"]},
    ):
        assert ask(gamma, **question).body == unknown.body, question
    assert ask(exchange.caller("writer"), object=plain["id"]).body == unknown.body
    answer = ask(gamma, object=derived["id"])
    (explained,) = answer.json["explanations"]
    assert (explained["object"], explained["outcome"]) == (derived["id"], "redacted")
    assert explained["references"] == [{"id": plain["id"], "visible": True}]
    assert hidden["id"].encode() not in answer.body
    assert note["id"].encode() not in answer.body
    (whole,) = ask(alpha, object=note["id"], **{"for": "org-gamma"}).json["explanations"]
    assert whole["released_as"] == derived["id"]
