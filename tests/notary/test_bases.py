"""A pull's leaf says under which lawful bases the objects of its page left, whatever became of them since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from exchange.cli.audit_steps import tell_pulls
from exchange.notary.bases import Bases
from exchange.notary.check import verify_store
from exchange.notary.deliveries import LedgerDeliveries
from exchange.store.engine import write
from exchange.store.objects import Filter, Versions
from tests.backup.restored_site import Site
from tests.e2e.stix_objects import handling
from tests.obligations.five_members import DAY, PLAIN, indicator

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
PERSONAL = handling("of a person", data={"personal": "yes", "categories": ["Username"], "subject_kind": "operator"})


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(database_url, tmp_path)
    yield made
    made.close()


def pulled(site: Site) -> list[dict[str, Any]]:
    """The details of every pull's leaf of beta, after all was placed."""
    site.members.now += DAY
    site.members.exchange.notary.run()
    leaves = [json.loads(one["leaf"]) for one in site.members.exchange.notary.own_entries("org-beta", -1)]
    return [leaf["detail"] for leaf in leaves if leaf["kind"] == "pull"]


def delete(site: Site, stix_id: str) -> None:
    directory = site.members.exchange.directory()
    site.members.exchange.withdraw(
        directory.organisations["org-alpha"], directory.credentials["alpha"], directory.collections[PLAIN], stix_id,
        Filter(versions=Versions(frozenset({"all"}))), site.members.now)


def shared(site: Site) -> list[dict[str, Any]]:
    """Three objects without personal data and one with it, of which beta has pulled a page."""
    objects = [*(indicator(object_marking_refs=[GREEN]) for _ in range(3)),
               indicator(object_marking_refs=[GREEN, PERSONAL["id"]])]
    assert site.members.push("alpha", PERSONAL, *objects) == [("added", "")] * 5
    site.members.now += DAY
    assert len(site.members.sees("beta")) == 5
    return objects


STATED = {"regime": "EU-GDPR", "legal_basis": ["A6-1-f"], "special_basis": ["A9-2-e"]}


def test_each_statement_is_named_with_how_many_objects_left_under_it(site: Site) -> None:
    shared(site)
    (detail,) = pulled(site)
    assert detail["basis"] == [{**STATED, "personal": "no", "count": 3}, {**STATED, "personal": "yes", "count": 2}]
    assert (detail["format"], detail["count"]) == (2, 5)
    exchange = site.members.exchange
    assert verify_store(exchange.engine, exchange.notary.key_file, deliveries=LedgerDeliveries(exchange.ledger))


def test_what_was_deleted_before_its_leaf_was_made_is_still_told_and_what_an_earlier_release_deleted_is_unknown(
    site: Site
) -> None:
    plain, other, *_ = shared(site)
    delete(site, plain["id"])
    delete(site, other["id"])
    with write(site.members.exchange.engine) as connection:
        connection.execute(text("UPDATE withdrawn SET label = NULL WHERE stix_id = :id"), {"id": other["id"]})
    (detail,) = pulled(site)
    assert detail["basis"] == [{**STATED, "personal": "no", "count": 2}, {**STATED, "personal": "yes", "count": 2},
                               {"known": False, "count": 1}]


def test_a_page_of_many_lone_objects_is_told_whole(site: Site) -> None:
    for _ in range(12):
        site.members.push("alpha", indicator(object_marking_refs=[GREEN]))
        site.members.now += DAY
    site.members.sees("beta")
    (detail,) = pulled(site)
    assert detail["basis"] == [{**STATED, "personal": "no", "count": 12}]


def test_a_page_that_many_pulled_is_looked_up_once(site: Site) -> None:
    shared(site)
    for org in ("beta", "gamma", "delta"):
        site.members.sees(org)
    bases, asked = Bases(site.members.exchange.engine), []
    event.listen(site.members.exchange.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    rows = site.members.exchange.ledger.after(0, 100)
    asked.clear()
    told = [bases.of(row) for row in rows]
    assert len(rows) >= 3
    assert told.count(told[-1]) == len(rows)
    assert sum("object" in one for one in asked) <= 2


def test_pulls_of_one_object_are_looked_up_together_and_told_as_alone(site: Site) -> None:
    objects = shared(site)
    for one in objects:
        site.members._read("beta", PLAIN, {"match[id]": one["id"]})
    delete(site, objects[0]["id"])
    exchange = site.members.exchange
    rows = exchange.ledger.after(0, 100)
    lone = [row for row in rows if row.count == 1]
    assert len(lone) == len(objects) < len(rows)
    together = Bases(exchange.engine).of_each(rows)
    assert {row.number: Bases(exchange.engine).of(row) for row in rows} == together
    assert [together[row.number] for row in lone] == [[{**STATED, "personal": personal, "count": 1}]
                                                      for personal in ("no", "no", "no", "yes")]


def test_leaves_of_before_and_leaves_of_a_forger_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    def leaf(detail: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 0, {"at": 0, "kind": "pull", "org": "org-beta", "detail": detail}

    tell_pulls([leaf({"count": 3}), leaf({"basis": [
        {**STATED, "personal": "yes", "count": 2}, {"known": False, "count": 1}, {"others": True, "count": 4},
        {"regime": "US-SCA", "legal_basis": 7, "personal": [], "count": "\x1b[2J"}, "lorem", {}]}), leaf({"basis": 7})],
        "org-beta")
    said = capsys.readouterr().out
    assert "the leaf is of before lawful bases were noted in it" in said
    assert "2 under A6-1-f, A9-2-e (EU-GDPR; personal data)" in said
    assert "1 under what isn't known any more" in said
    assert "4 under other bases, too many to name" in said
    assert "no lawful basis (US-SCA; perhaps personal data)" in said
    assert "\x1b" not in said
