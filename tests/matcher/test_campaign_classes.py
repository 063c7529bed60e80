"""Campaign classes: what the feed states, what behaviour shows, and what differs from class to class."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

import duckdb

from exchange.errors import SettingError
from exchange.matcher.classes.names import CLASSES, read_class, stated_class
from exchange.matcher.classes.table import read_classes
from exchange.matcher.classes.tell import Statement, tell_class
from exchange.matcher.weighing import load_weights
from exchange.stix.extensions import CAMPAIGN

TABLE = load_weights().classes
DEVICES = [f"dv_{number:x}" for number in range(1, 4)]


def says(**extension: Any) -> dict[str, Any]:
    return {"type": "campaign", "extensions": {CAMPAIGN: {"extension_type": "property-extension", **extension}}}


@pytest.mark.parametrize(("obj", "expected"), [
    (says(campaign_class="influence-operation"), "influence"),
    (says(campaign_class="coordinated-inauthentic-behaviour"), "influence"),
    (says(campaign_class="bot-signups"), "bot_signup"),
    (says(campaign_class="scam"), "financial"),
    (says(campaign_class="other"), ""),
    (says(behaviours=[{"framework": "DISARM", "id": "T0137.002"}]), "financial"),
    (says(behaviours=[{"framework": "MITRE", "id": "T0137"}]), ""),
    (says(behaviours=[{"framework": "DISARM", "id": "T0137"}, {"framework": "DISARM", "id": "T0011"}]), ""),
    ({"type": "campaign", "labels": ["Account Takeover"]}, "account_takeover"),
    ({"type": "campaign", "labels": ["spam", "scam"]}, ""),
    ({"type": "campaign", "labels": "spam"}, ""),
    ({"type": "campaign"}, ""),
])
def test_a_class_is_read_from_extension_labels_or_coded_behaviour(obj: dict[str, Any], expected: str) -> None:
    assert stated_class(obj) == expected


@pytest.mark.parametrize("word", [None, 7, "", "nonsense", "s"])
def test_a_word_that_is_no_class_states_none(word: object) -> None:
    assert read_class(word) == ""


def stated(source: str, name: str, share: float = 1.0, accounts: int = 9) -> Statement:
    return Statement(f"identity--{source}", source, name, share, accounts)


@pytest.mark.parametrize(("statements", "signs", "expected", "sources"), [
    ([], {}, None, 0),
    ([stated("a", "spam")], {}, "spam", 1),
    ([stated("a", "spam", accounts=1)], {}, None, 0),
    ([stated("a", "spam"), stated("b", "spam")], {}, "spam", 2),
    ([stated("a", "spam"), stated("b", "influence")], {}, None, 0),
    ([stated("a", "spam", 0.5), stated("a", "influence", 0.5)], {}, None, 0),
    ([], {"taken": 0.5}, "account_takeover", 1),
    ([], {"taken": 0.0}, None, 0),
    ([stated("a", "account_takeover")], {"taken": 0.0}, None, 0),
    ([stated("a", "account_takeover")], {"taken": 0.4}, "account_takeover", 2),
    ([], {"burst": 0.95, "idle": 0.95}, "bot_signup", 1),
    ([], {"taken": math.nan, "burst": math.nan}, None, 0),
])
def test_a_class_is_told_where_sources_or_behaviour_say_enough_and_agree(
        statements: list[Statement], signs: dict[str, float], expected: str | None, sources: int) -> None:
    told = tell_class(statements, signs, TABLE)
    assert told.campaign_class == expected
    assert told.sources == sources


def test_nothing_in_behaviour_says_influence() -> None:
    assert not TABLE.rows["influence"].signs


def test_every_class_has_its_own_threshold_and_political_speech_the_highest() -> None:
    assert set(TABLE.rows) == set(CLASSES)
    assert TABLE.likely_from("influence") == max(row.likely for row in TABLE.rows.values())
    assert TABLE.likely_from(None) == TABLE.likely


BROKEN = {
    "[riot]\nlikely = 0.5": "class.riot is no class",
    "[spam]": "needs likely",
    "[spam]\nlikely = 1.5": "between 0 and 1",
    "[spam]\nlikely = true": "must be a number",
    "[spam]\nlikely = 0.5\nmood = 1": "unknown word 'mood'",
    "[spam]\nlikely = 0.5\nstrength = { magic = 2 }": "unknown word 'magic'",
    "[spam]\nlikely = 0.5\nstrength = { domain = 0 }": "must be above 0",
    "[spam.sign]\nluck = { nodes = [0], nats = [1] }\n[spam]\nlikely = 0.5": "luck is no measure",
    "[spam]\nlikely = 0.5\n[spam.sign]\nburst = { nodes = [1, 0], nats = [1, 1] }": "rising nodes",
    "[spam]\nlikely = 0.5\n[spam.sign]\nburst = { nodes = [0] }": "needs nodes and nats",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_table_of_classes_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SettingError) as refused:
        read_classes(tomllib.loads(text), {"domain": None}, "own.toml: class")
    assert BROKEN[text] in str(refused.value)


def network(platform: Any, word: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Six accounts on three machines and two cards that two sources name, in campaigns of a class."""
    members = [f"a{number}" for number in range(6)]
    platform.accounts(*members, audience_quality=0.2)
    for number, account in enumerate(members):
        platform.link(account, "device", DEVICES[number % 3])
        platform.link(account, "device", DEVICES[(number + 1) % 3])
        platform.link(account, "payment", f"pm_{number % 2 + 1}")
        platform.link(account, "domain", "news.example")
    objects: list[dict[str, Any]] = []
    for source in ("a", "b"):
        campaign = {**says(**({"campaign_class": word} if word else {})), "name": f"{source} c", "modified": "2026-05-31T00:00:00Z",
                    "id": f"campaign--0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7a1{source}", "created_by_ref": f"identity--{source}"}
        objects.append(campaign)
        for pattern in (*(f"[x-cib-device:token = '{device}']" for device in DEVICES), "[x-cib-payment:token = 'pm_1']",
                        "[domain-name:value = 'news.example']"):
            one = platform.indicator(pattern, name=f"{source} {pattern}", created_by_ref=f"identity--{source}")
            objects += [one, {"type": "relationship", "id": one["id"].replace("indicator", "relationship"), "source_ref": one["id"],
                              "relationship_type": "indicates", "target_ref": campaign["id"], "modified": "2026-05-31T00:00:00Z"}]
    return objects, members


def told(outcome: Any, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM read_parquet('{outcome.out / table}.parquet')").fetchall()


def test_the_class_that_two_campaigns_state_is_told_of_their_cluster_with_its_reasons(platform: Any) -> None:
    objects, _ = network(platform, "spam")
    outcome = platform.run(objects)
    assert outcome.rows("SELECT DISTINCT class FROM accounts WHERE cluster IS NOT NULL") == [("spam",)]
    assert {(row[1], row[3]) for row in told(outcome, "classes") if row[4] == "stated"} == {("spam", "identity--a"), ("spam", "identity--b")}
    with duckdb.connect() as connection:
        [(name, sources, bound)] = connection.execute(
            f"SELECT class, class_sources, likely_from FROM read_parquet('{outcome.out / 'clusters'}.parquet')").fetchall()
    assert (name, sources, bound) == ("spam", 2, TABLE.likely_from("spam"))


def test_factors_of_a_class_act_on_its_evidence_alone_and_sums_stay_exact(platform: Any) -> None:
    objects, _ = network(platform, "spam")
    plain, _ = network(platform, None)
    outcomes = {name: platform.run(given) for name, given in (("spam", objects), ("none", plain))}
    strength = {name: dict(outcome.rows("SELECT DISTINCT kind, strength FROM evidence WHERE step = 'direct'"))
                for name, outcome in outcomes.items()}
    factors = {kind: strength["spam"][kind] / strength["none"][kind] for kind in strength["none"]}
    assert factors == pytest.approx({kind: TABLE.rows["spam"].strength.get(kind, 1.0) for kind in factors})
    assert factors["domain"] > 1
    for total, log_odds in outcomes["spam"].rows("""SELECT sum(nats), any_value(log_odds) FROM evidence
            JOIN accounts USING (account_id) GROUP BY account_id"""):
        assert total == pytest.approx(log_odds, abs=1e-9)


def test_where_nobody_states_a_class_none_is_told(platform: Any) -> None:
    objects, _ = network(platform, None)
    assert platform.run(objects).rows("SELECT DISTINCT class FROM accounts") == [(None,)]
