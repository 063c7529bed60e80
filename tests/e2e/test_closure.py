"""An object doesn't leave in a way that tells of one that its reader may not see (P20)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.stix.extensions import REDACTION
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import DAY, TLP, campaign, fixed_id, indicator


def sdo(kind: str, word: object, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": fixed_id(kind, word), "created": DAY, "modified": DAY, **more}


def relationship(word: object, source: str, target: str) -> dict[str, Any]:
    return sdo("relationship", word, relationship_type="related-to", source_ref=source, target_ref=target)


def report(word: object, *refs: str) -> dict[str, Any]:
    return sdo("report", word, name="R", published=DAY, object_refs=list(refs))


def note(word: object, *refs: str) -> dict[str, Any]:
    return sdo("note", word, content="words", object_refs=list(refs))


def secret(word: object) -> dict[str, Any]:
    """What alpha alone sees."""
    return campaign(f"secret {word}", object_marking_refs=[TLP["AMBER"]])


def test_a_relationship_with_an_invisible_end_is_not_seen(exchange: ExchangeProcess, lane: str) -> None:
    hidden, shown = secret(lane), indicator(lane)
    both = relationship(lane, shown["id"], hidden["id"])
    bring(exchange, lane, [("alpha", [both, hidden, shown])])
    gamma = exchange.caller("gamma")
    assert gamma.get(lane + "objects/").ids == [shown["id"]]
    assert gamma.get(lane + "manifest/").ids == [shown["id"]]
    assert gamma.get(f"{lane}objects/{both['id']}/").status == 404
    assert both["id"] in exchange.caller("alpha").get(lane + "objects/").ids


@pytest.mark.parametrize("kind", ["report", "note", "grouping", "opinion", "observed-data"])
def test_invisible_references_are_left_out_of_containers(exchange: ExchangeProcess, lane: str, kind: str) -> None:
    hidden, shown = secret(lane), indicator(lane)
    needed: dict[str, Any] = {
        "report": {"name": "R", "published": DAY}, "note": {"content": "words"}, "grouping": {"context": "suspicious-activity"},
        "opinion": {"opinion": "agree"},
        "observed-data": {"first_observed": DAY, "last_observed": DAY, "number_observed": 1},
    }[kind]  # fmt: skip
    one = sdo(kind, lane, object_refs=[shown["id"], hidden["id"]], **needed)
    bring(exchange, lane, [("alpha", [hidden, shown]), ("alpha", [one])])
    gamma = exchange.caller("gamma")
    found = {o["type"]: o for o in gamma.get(lane + "objects/").objects}
    assert found[kind]["object_refs"] == [shown["id"]]
    assert found[kind]["id"] != one["id"]
    assert found[kind]["extensions"][REDACTION]["withheld"] == ["references"]
    assert hidden["id"] not in str(found)
    assert gamma.get(f"{lane}objects/{one['id']}/").status == 404
    assert gamma.get(f"{lane}objects/{found[kind]['id']}/").objects == [found[kind]]
    assert one in exchange.caller("alpha").get(lane + "objects/").objects


def test_a_container_of_invisible_things_alone_is_not_seen(exchange: ExchangeProcess, lane: str) -> None:
    hidden = secret(lane)
    bring(exchange, lane, [("alpha", [hidden, note(lane, hidden["id"])])])
    assert exchange.caller("gamma").get(lane + "objects/").objects == []


def test_a_report_lists_no_relationship_that_is_not_seen(exchange: ExchangeProcess, lane: str) -> None:
    hidden, shown = secret(lane), indicator(lane)
    link = relationship(lane, shown["id"], hidden["id"])
    bring(exchange, lane, [("alpha", [hidden, shown, link, report(lane, shown["id"], link["id"])])])
    found = {o["type"]: o for o in exchange.caller("gamma").get(lane + "objects/").objects}
    assert found["report"]["object_refs"] == [shown["id"]]
    assert "relationship" not in found


def test_a_guessed_id_in_a_note_tells_nothing(exchange: ExchangeProcess, lane: str) -> None:
    hidden = secret(lane)
    bring(exchange, lane, [("alpha", [hidden])])
    there, absent = note(f"there {lane}", hidden["id"]), note(f"absent {lane}", fixed_id("campaign", f"none {lane}"))
    bring(exchange, lane, [("gamma", [there, absent])])
    for key in ("gamma", "delta"):
        assert exchange.caller(key).get(lane + "objects/").ids == [there["id"], absent["id"]]


def test_what_was_shown_does_not_vanish_when_a_secret_of_that_id_comes(exchange: ExchangeProcess, lane: str) -> None:
    hidden = secret(lane)
    early = note(lane, hidden["id"])
    bring(exchange, lane, [("gamma", [early])])
    assert exchange.caller("delta").get(lane + "objects/").ids == [early["id"]]
    bring(exchange, lane, [("alpha", [hidden])])
    assert exchange.caller("delta").get(lane + "objects/").ids == [early["id"]]


def test_what_refers_to_something_withdrawn_goes_at_the_next_request(exchange: ExchangeProcess, lane: str) -> None:
    shown, other = indicator(lane), indicator(f"other {lane}")
    both = relationship(lane, shown["id"], other["id"])
    bring(exchange, lane, [("alpha", [shown, other, both])])
    gamma = exchange.caller("gamma")
    for _ in range(3):
        assert both["id"] in gamma.get(lane + "objects/", {"limit": "3"}).ids
    bring(exchange, lane, [("alpha delete", [other])])
    assert both["id"] not in gamma.get(lane + "objects/", {"limit": "3"}).ids


def test_targets_are_looked_for_in_other_collections(exchange: ExchangeProcess, lane: str) -> None:
    elsewhere = exchange.next_lane()
    shown, hidden = indicator(lane), secret(lane)
    link = relationship(lane, shown["id"], shown["id"])
    closed = relationship(f"closed {lane}", shown["id"], hidden["id"])
    bring(exchange, elsewhere, [("alpha", [shown, hidden])])
    bring(exchange, lane, [("alpha", [link, closed])])
    assert exchange.caller("gamma").get(lane + "objects/").ids == [link["id"]]


def asked_together(exchange: ExchangeProcess, lane: str, guessed: str) -> list[Any]:
    """What two members see who refer to a guessed id in every way and compare what they get."""
    beta, gamma = exchange.caller("beta"), exchange.caller("gamma")
    decoy = indicator(f"decoy {lane}")
    baits = [decoy, relationship(f"to {lane}", decoy["id"], guessed), relationship(f"from {lane}", guessed, decoy["id"]),
             report(lane, guessed), note(lane, decoy["id"], guessed)]
    answers = [beta.push(lane + "objects/", baits), gamma.push(lane + "objects/", [note(f"gamma {lane}", guessed)])]
    seen: list[Any] = [[(a.status, a.json["success_count"], a.json["failure_count"]) for a in answers]]
    for caller in (beta, gamma):
        seen += [sorted(caller.get(lane + "objects/").ids), sorted(caller.get(lane + "manifest/").ids)]
        seen += [caller.get(f"{lane}objects/{bait['id']}/").status for bait in baits]
        seen += [caller.get(f"{lane}objects/{guessed}/").status, caller.delete(f"{lane}objects/{guessed}/").status]
    return seen


def test_two_members_together_do_not_learn_whether_a_guessed_id_is_there(exchange: ExchangeProcess, lane: str) -> None:
    other = exchange.next_lane()
    hidden = secret(lane)
    bring(exchange, lane, [("alpha", [hidden])])
    there, absent = (asked_together(exchange, where, hidden["id"]) for where in (lane, other))

    def named(seen: list[Any], where: str) -> str:
        names = {fixed_id(kind, word.format(where)): f"{kind} {word}" for kind, word in (
            ("indicator", "decoy {}"), ("relationship", "to {}"), ("relationship", "from {}"), ("report", "{}"),
            ("note", "{}"), ("note", "gamma {}"))}
        return str([sorted(names[i] for i in part) if isinstance(part, list) and part and isinstance(part[0], str)
                    else part for part in seen])

    assert named(there, lane) == named(absent, other)
    assert "decoy" in named(there, lane)
