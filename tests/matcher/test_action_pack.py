"""The policy pack of recommended actions: its own cases, what no pack may say, and the same decision in SQL."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.policy import command as policy_command
from exchange.errors import SettingError
from exchange.matcher.action.check import run_cases
from exchange.matcher.action.decide import decide, deciding_row
from exchange.matcher.action.facts import Facts
from exchange.matcher.action.pack import ACTIONS, load_actions, read_actions
from exchange.matcher.action.recommend import decide_all
from exchange.matcher.classes.names import CLASSES
from exchange.matcher.engine import open_engine
from exchange.policy.packfile import PackFile

SHIPPED = Path(__file__).parents[2] / "policies" / "actions" / "staged.toml"
PACK = load_actions()

shares = st.one_of(st.floats(0, 1), st.sampled_from([0.2, 0.35, 0.5, 0.85, 0.9, 0.95, 0.9999, 0.99999]))
facts = st.builds(
    Facts, score=shares, sources=st.integers(0, 5), kinds=st.integers(0, 8), cluster=st.integers(1, 60), cluster_sources=st.integers(0, 3), made_with=st.integers(0, 5),
    reach=st.one_of(st.floats(0, 1e6), st.sampled_from([2000.0, 20000.0])), growth=st.floats(0.5, 4), disputed=shares,
    prior_days=st.none() | st.floats(0, 4000), role=st.none() | st.sampled_from(["origin", "relay", "amplifier"]),
    campaign_class=st.none() | st.sampled_from(CLASSES), class_sources=st.integers(0, 3), spread=st.floats(0.25, 8),
    theft=st.sampled_from([0.0, 0.0, 0.02, 0.4]), compromised=st.booleans(), co_opted=st.booleans(),
    disclosed=st.booleans(), clean=st.booleans(), seen=st.booleans())


def test_the_shipped_pack_decides_its_own_cases() -> None:
    results = list(run_cases(PACK))
    assert len(results) >= 20
    assert [result for result in results if result.fault] == []


def test_every_row_of_the_shipped_pack_is_reached_by_some_facts() -> None:
    """A row behind another that always holds first would be dead text."""
    found = {deciding_row(Facts(score, sources, kinds, cluster, reach, 1.0, disputed, prior, None, cls, among, spread, among, 3, **flags), PACK).id
             for score in (0.05, 0.25, 0.4, 0.6, 0.97, 0.99999) for sources in (0, 1, 3) for kinds in (1, 3, 6)
             for cluster in (1, 30) for reach in (10.0, 5000.0, 50000.0) for disputed in (0.0, 0.9) for prior in (0.0, 900.0)
             for cls in (None, "spam", "bot_signup") for among in (1, 2) for spread in (1.0, 3.0)
             for flags in ({}, {"seen": True}, {"compromised": True}, {"co_opted": True}, {"disclosed": True})}
    assert {row.id for row in PACK.rows} - found == set()


@given(facts)
@settings(max_examples=300, deadline=None)
def test_what_cannot_be_undone_waits_for_a_human_and_never_meets_owners_or_single_witnesses(account: Facts) -> None:
    found = decide(account, PACK, changes=False)
    assert found.human or PACK.steps[found.action].reversible
    if found.action == "suspend":
        assert not any((account.compromised, account.co_opted, account.disclosed, account.clean))
        assert min(account.sources, account.kinds, account.class_sources, account.made_with) >= 2
        assert account.campaign_class is not None
        assert account.theft == 0
    if account.sources <= 1:
        assert found.action in ("none", "monitor") or (
            found.action == "challenge" and (account.compromised or account.cluster_sources >= 2))
    if account.co_opted:
        assert found.action in ("none", "monitor")
    if account.compromised:
        assert found.action in ("none", "monitor", "challenge")


@given(facts)
@settings(max_examples=60, deadline=None)
def test_each_sentence_of_change_names_another_action_and_a_row_of_the_pack(account: Facts) -> None:
    found = decide(account, PACK)
    rows = {row.id: row.action for row in PACK.rows}
    for sentence in found.changes:
        row = sentence.rpartition("row ")[2].rstrip(".")
        assert rows[row] != found.action
        assert f": {rows[row]}" in sentence


def test_what_would_change_it_is_true_when_tried() -> None:
    account = Facts(0.97, 2, 3, 10, 500.0, prior_days=100.0)
    assert decide(account, PACK).action == "label"
    assert "Did it reach 2,000 people in 90 days: throttle, row high-and-wide." in decide(account, PACK).changes
    assert decide(replace(account, reach=2001.0), PACK).action == "throttle"
    assert "Did 1 independent source speak of it: monitor, row one-source." in decide(account, PACK).changes
    assert decide(replace(account, sources=1), PACK).action == "monitor"


@given(st.lists(facts, min_size=20, max_size=40))
@settings(max_examples=8, deadline=None)
def test_sql_decides_a_platform_as_python_decides_one_account(tmp_path_factory: Any, accounts: list[Facts]) -> None:
    with open_engine(tmp_path_factory.mktemp("sql"), threads=1) as engine:
        engine.run("""CREATE TEMP TABLE facts (account_id BIGINT, score DOUBLE, sources INTEGER, kinds INTEGER,
            cluster INTEGER, reach DOUBLE, growth DOUBLE, disputed DOUBLE, prior_days DOUBLE, role VARCHAR,
            campaign_class VARCHAR, class_sources INTEGER, spread DOUBLE, cluster_sources INTEGER, made_with INTEGER,
            theft DOUBLE,
            compromised BOOLEAN, co_opted BOOLEAN, disclosed BOOLEAN, clean BOOLEAN, seen BOOLEAN,
            cluster_name VARCHAR)""")
        engine.connection.executemany(f"INSERT INTO facts VALUES ({', '.join('?' * 22)})", [
            (number, *asdict(account).values(), None) for number, account in enumerate(accounts)])
        decide_all(engine, PACK)
        found = engine.rows("SELECT decided_by, action, human FROM actions ORDER BY account_id")
    rows = [deciding_row(account, PACK) for account in accounts]
    assert found == [(row.id, row.action, row.human) for row in rows]


def _content() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text())


def _row(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in content["row"] if row["id"] == name)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an unknown table": (lambda c: c.update(rows=[]), "'rows' is not a table"),
    "no cases": (lambda c: c.pop("cases"), "there is no [[cases]]"),
    "no citation": (lambda c: c["pack"].pop("citation"), "'citation' is missing"),
    "another room": (lambda c: c["pack"].update(room="cases"), "room is 'cases'"),
    "a step without its undoing": (lambda c: c["step"].pop(), "the step 'suspend' is missing"),
    "a reversible suspension": (lambda c: c["step"][-1].update(reversible=True), "can't be reversible"),
    "levels that fall": (lambda c: c["confidence"][0].update(high=0.1), "must rise"),
    "a class twice": (lambda c: c["confidence"].append(c["confidence"][1]), "given twice"),
    "a share as a word": (lambda c: _row(c, "core-of-operation").update(disputed_at_most="few"), "must be a number"),
    "an unknown flag": (lambda c: _row(c, "co-opted").update(only=["famous"]), "only names 'famous'"),
    "an unknown key": (lambda c: _row(c, "bots").update(mood="bad"), "'mood' is not a known key"),
    "a row twice": (lambda c: c["row"].insert(0, _row(c, "bots")), "given twice"),
    "suspension without a human": (lambda c: _row(c, "core-of-operation").update(human=False), "without a person"),
    "suspension of owners": (lambda c: _row(c, "core-of-operation")["never"].remove("compromised"), "even for compromised"),
    "suspension on one source": (lambda c: _row(c, "core-of-operation").update(sources=1), "one source"),
    "suspension on one kind": (lambda c: _row(c, "core-of-operation").pop("kinds"), "one kind"),
    "suspension without a class": (lambda c: _row(c, "core-of-operation").pop("classes"), "two sources"),
    "suspension on one source's class": (lambda c: _row(c, "core-of-operation").update(class_sources=1), "two sources"),
    "suspension of accounts made apart": (lambda c: _row(c, "core-of-operation").pop("made_with"), "made with others"),
    "suspension among stolen accounts": (lambda c: _row(c, "core-of-operation").pop("theft_at_most"), "look stolen"),
    "no last row for everybody": (lambda c: c["row"].pop(), "the last row"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_pack_is_refused_with_its_place(name: str) -> None:
    content = _content()
    spoil, words = BROKEN[name]
    spoil(content)
    with pytest.raises(SettingError) as refused:
        read_actions(PackFile("actions/own.toml", content))
    assert words in str(refused.value)
    assert "actions/own.toml" in str(refused.value)


def test_policy_check_runs_the_cases_of_actions(tmp_path: Path) -> None:
    """A folder with one wrong case of actions among the shipped packs."""
    import shutil

    shutil.copytree(SHIPPED.parents[1], tmp_path / "packs", ignore=shutil.ignore_patterns("__pycache__"))
    pack = tmp_path / "packs" / "actions" / "staged.toml"
    pack.write_text(pack.read_text() + '\n[[cases]]\nname = "wrong"\nfacts = { score = 0.0 }\naction = "suspend"\n')
    done = CliRunner().invoke(policy_command, ["check", "--policies", str(tmp_path / "packs")], standalone_mode=False)
    assert done.return_value == 1
    assert "actions/staged.toml: case 'wrong': it is none (row nothing), not suspend." in done.output


@pytest.mark.parametrize(("case", "words"), [
    ({"name": "x", "action": "none"}, "a table with a score"),
    ({"name": "x", "action": "none", "facts": {"score": 0.1, "luck": 1}}, "'luck' is not a fact"),
    ({"name": "x", "action": "none", "facts": {"score": True}}, "must be of type float"),
    ({"name": "x", "action": "punish", "facts": {"score": 0.1}}, "an action of"),
])
def test_a_case_that_is_no_case_is_named(case: dict[str, Any], words: str) -> None:
    pack = read_actions(PackFile("own.toml", {**_content(), "cases": [case]}))
    with pytest.raises(SettingError, match=words):
        list(run_cases(pack))


def test_actions_are_staged_from_nothing_to_suspension() -> None:
    assert ACTIONS[0] == "none"
    assert ACTIONS[-1] == "suspend"
    assert [name for name, step in PACK.steps.items() if not step.reversible] == ["suspend"]
