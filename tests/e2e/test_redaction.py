"""Parts that a reader may not have are left out of what it pulls, under another id, which every endpoint knows (P21)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
import stix2
from taxii2client.v21 import Collection

from exchange.stix.extensions import REDACTION
from exchange.stix.validate import check
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.members import SECRETS, collection_id
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import TLP, domain, handling, indicator

ALL = {"match[version]": "all"}


def partly(word: object, selector: str = "description", **more: Any) -> dict[str, Any]:
    """An indicator of which one part is AMBER: for alpha alone."""
    return indicator(f"partly {word}", description="words of the secret part",
                     granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": [selector]}], **more)


@pytest.fixture
def pulled(exchange: ExchangeProcess, lane: str) -> dict[str, Any]:
    """The derived object that gamma gets of alpha's."""
    bring(exchange, lane, [("alpha", [partly(lane)])])
    (derived,) = exchange.caller("gamma").get(lane + "objects/").objects
    return derived


def test_what_is_pulled_is_valid_says_what_is_missing_and_keeps_its_times(pulled: dict[str, Any], lane: str) -> None:
    original = partly(lane)
    assert check(pulled) is None
    assert stix2.parse(pulled, allow_custom=True)["id"] == pulled["id"]
    assert "secret part" not in str(pulled)
    assert original["id"] not in str(pulled)
    assert (pulled["created"], pulled["modified"]) == (original["created"], original["modified"])
    assert pulled["extensions"][REDACTION]["withheld"] == ["description"]


def test_taxii2_client_pulls_the_derived_object_and_gets_it_by_its_id(
    exchange: ExchangeProcess, lane: str, pulled: dict[str, Any]
) -> None:
    url = f"{exchange.url}/taxii2/lanes/collections/{collection_id(lane.rstrip('/').rpartition('/')[2])}/"
    stock = Collection(url, user="gamma", password=SECRETS["gamma"])
    assert stock.get_objects()["objects"] == [pulled]
    assert stock.get_object(pulled["id"])["objects"] == [pulled]
    assert [entry["id"] for entry in stock.get_manifest()["objects"]] == [pulled["id"]]
    source = stix2.TAXIICollectionSource(stock, allow_custom=True)
    assert source.get(pulled["id"]).modified == stix2.parse(pulled, allow_custom=True).modified


def test_the_contributor_pulls_what_it_pushed(exchange: ExchangeProcess, lane: str, pulled: dict[str, Any]) -> None:
    assert exchange.caller("alpha").get(lane + "objects/").objects == [partly(lane)]
    assert exchange.caller("alpha").get(f"{lane}objects/{pulled['id']}/").status == 404


def test_every_endpoint_knows_the_new_id_and_none_the_originals(
    exchange: ExchangeProcess, lane: str, pulled: dict[str, Any]
) -> None:
    gamma, original = exchange.caller("gamma"), partly(lane)["id"]
    assert gamma.get(lane + "manifest/").ids == [pulled["id"]]
    for query in ({}, ALL):
        assert gamma.get(f"{lane}objects/{pulled['id']}/", query).objects == [pulled]
        assert gamma.get(lane + "objects/", {"match[id]": pulled["id"], **query}).objects == [pulled]
        assert gamma.get(lane + "manifest/", {"match[id]": pulled["id"], **query}).ids == [pulled["id"]]
    assert gamma.get(f"{lane}objects/{pulled['id']}/versions/").json["versions"] == [pulled["modified"]]
    for path in (f"objects/{original}/", f"objects/{original}/versions/"):
        assert gamma.get(lane + path).status == 404
    for path in ("objects/", "manifest/"):
        assert gamma.get(lane + path, {"match[id]": original, **ALL}).body == b'{"more":false}'


def test_the_derived_id_of_another_reader_is_unknown(exchange: ExchangeProcess, lane: str) -> None:
    marking = handling(f"for beta {lane}", audience={"sharing_groups": ["inner"]})
    one = indicator(f"both {lane}", description="d", labels=["x"], granular_markings=[
        {"marking_ref": TLP["AMBER"], "selectors": ["description"]},
        {"marking_ref": marking["id"], "selectors": ["labels"]},
    ])  # fmt: skip
    bring(exchange, lane, [("alpha", [marking, one])])
    got = {}
    for key in ("beta", "gamma"):
        found = [o for o in exchange.caller(key).get(lane + "objects/").objects if o["type"] == "indicator"]
        got[key] = found[0]
    assert got["beta"]["labels"] == ["x"]
    assert "labels" not in got["gamma"]
    assert got["beta"]["id"] != got["gamma"]["id"]
    assert exchange.caller("gamma").get(f"{lane}objects/{got['beta']['id']}/").status == 404
    assert exchange.caller("beta").get(f"{lane}objects/{got['gamma']['id']}/").status == 404


def test_a_later_version_has_the_same_new_id(exchange: ExchangeProcess, lane: str, pulled: dict[str, Any]) -> None:
    later = partly(lane, modified="2026-02-15T08:00:00.000Z")
    bring(exchange, lane, [("alpha", [later])])
    gamma = exchange.caller("gamma")
    (newest,) = gamma.get(lane + "objects/").objects
    assert (newest["id"], newest["modified"]) == (pulled["id"], later["modified"])
    assert len(gamma.get(f"{lane}objects/{pulled['id']}/versions/").json["versions"]) == 2


def test_where_a_required_part_would_go_nothing_is_seen_and_pages_stay_full(
    exchange: ExchangeProcess, lane: str
) -> None:
    shown = [domain(f"{n}.{lane.split('/')[-2]}.example") for n in range(3)]
    hidden = [partly(f"{lane} {n}", "pattern") for n in range(3)]
    bring(exchange, lane, [("alpha", [hidden[0], shown[0], hidden[1], shown[1], shown[2], hidden[2]])])
    gamma = exchange.caller("gamma")
    first = gamma.get(lane + "objects/", {"limit": "2"}).json
    assert [o["id"] for o in first["objects"]] == [shown[0]["id"], shown[1]["id"]]
    last = gamma.get(lane + "objects/", {"limit": "2", "next": first["next"]}).json
    assert [o["id"] for o in last["objects"]] == [shown[2]["id"]]
    assert last["more"] is False
    assert gamma.get(f"{lane}objects/{hidden[0]['id']}/").status == 404


@pytest.mark.parametrize("change", [
    "UPDATE policy_grant SET withheld = 0", "UPDATE label SET facts = replace(facts, 'org-alpha', 'org-gamma')",
    "UPDATE withholding SET parts = '[\"labels.[' || number || ']\"]'", "DELETE FROM withholding",
])  # fmt: skip
def test_a_changed_grant_or_label_stops_the_page_and_raises_an_alarm(
    exchange: ExchangeProcess, lane: str, change: str
) -> None:
    bring(exchange, lane, [("alpha", [partly(lane)])])
    gamma = exchange.caller("gamma")
    assert gamma.get(lane + "objects/").status == 200
    with closing(sqlite3.connect(exchange.folder / "cibx.db", isolation_level=None)) as database:
        alarms = database.execute("SELECT count(*) FROM event WHERE kind = 'alarm'").fetchone()
        for name in ("label", "policy_grant", "withholding"):
            database.execute(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}")
        try:
            database.execute(change)
            answer = gamma.get(lane + "objects/")
            assert answer.status == 503
            assert b"secret part" not in answer.body
            more = database.execute("SELECT count(*) FROM event WHERE kind = 'alarm'").fetchone()
            assert more[0] > alarms[0]
        finally:
            database.execute("UPDATE label SET facts = (SELECT facts FROM kept_label k WHERE k.number = label.number)")
            database.execute("DELETE FROM policy_grant")
            database.execute("INSERT INTO policy_grant SELECT * FROM kept_policy_grant")
            database.execute("DELETE FROM withholding")
            database.execute("INSERT INTO withholding SELECT * FROM kept_withholding")
            for name in ("label", "policy_grant", "withholding"):
                database.execute(f"DROP TABLE kept_{name}")
    assert gamma.get(lane + "objects/").status == 200


def test_nobody_pushes_under_the_id_of_a_derived_object(
    exchange: ExchangeProcess, pulled: dict[str, Any], lane: str
) -> None:
    forged = indicator("forged", description="Not alpha's.") | {"id": pulled["id"]}
    for key in ("gamma", "beta"):
        (failure,) = exchange.caller(key).push(lane + "objects/", [forged]).json["failures"]
        assert failure["message"].startswith("not-object-creator")
    assert exchange.caller("delta").get(f"{lane}objects/{pulled['id']}/", ALL).objects == [pulled]
