"""Replay, canary and drift: the past comes out the same to the last bit, and what differs is told."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from exchange.errors import InputError
from exchange.matcher.change.canary import mix, read_key
from exchange.matcher.change.drift import as_text, drift
from exchange.matcher.change.fingerprint import FeedPrint, of_tables
from exchange.matcher.change.kept import read_kept
from exchange.matcher.change.replay import replay_book, replay_run, same_results
from exchange.matcher.learning.reviews import OVERTURNED, add_reviews, read_book
from exchange.matcher.learning.take import Word, take
from exchange.matcher.weighing import load_weights, read_weights
from exchange.matcher.weights_file import as_toml, write_table

KEY = "0123456789abcdef"


def other_weights():
    """The shipped table with a lower intercept of its last card."""
    table = load_weights().table
    card = table["card"][-1]
    return read_weights({**table, "version": "other", "card": [
        *table["card"][:-1], {**card, "intercept": card["intercept"] - 60.0}]}, "other")


@pytest.fixture(scope="module")
def scene(make_scene, tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def old(scene):
    return read_kept(scene.run().out)


@pytest.fixture
def copy(old, tmp_path):
    """Results to spoil."""
    return read_kept(shutil.copytree(old.out, tmp_path / "copy"))


@pytest.fixture(scope="module")
def new(scene, old):
    return read_kept(scene.run(weights=other_weights()).out)


def rows(path, sql):
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {sql} FROM read_parquet('{path}')").fetchall()


def test_a_run_replays_to_the_last_bit(old, new):
    for kept in (old, new):
        found = replay_run(kept)
        assert found.decisions > 40
        assert found.rows > 400
        assert found.differing == ()


@pytest.mark.parametrize(("column", "where"), [
    ("nats", "step = 'direct'"), ("raw", "step = 'company' AND raw > 0"), ("nats", "step = 'prior'")])
def test_a_result_that_was_tampered_with_comes_out_otherwise(copy, column, where):
    path = copy.out / "evidence.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{path}')")
        account, = connection.execute(f"SELECT min(account_id) FROM t WHERE {where} AND nats <> 0").fetchall()[0]
        connection.execute(f"UPDATE t SET {column} = {column} + pow(2, -20) WHERE {where} AND account_id = {account}")
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    assert replay_run(copy).differing == (str(account),)


def test_a_reviewed_decision_replays_from_the_review_alone(copy, tmp_path):
    found, _ = take(copy, [Word(OVERTURNED, "p", datetime.now(UTC).isoformat(), account=str(n)) for n in (1, 2, 101)])
    add_reviews(tmp_path / "book", found, copy.weights.table)
    for path in copy.out.rglob("*.parquet"):
        path.unlink()
    again = replay_book(tmp_path / "book", read_book(tmp_path / "book"))
    assert (again.decisions, again.differing) == (3, ())


def test_a_review_whose_decision_was_changed_comes_out_otherwise(old, tmp_path):
    found, _ = take(old, [Word(OVERTURNED, "p", datetime.now(UTC).isoformat(), account="1")])
    wrong = replace(found[0], decision=replace(found[0].decision, log_odds=found[0].decision.log_odds + 0.5))
    add_reviews(tmp_path / "book", [wrong], old.weights.table)
    assert replay_book(tmp_path / "book", read_book(tmp_path / "book")).differing == ("1",)


def test_the_same_inputs_give_the_same_run(scene, old):
    again = read_kept(scene.run().out)
    assert again.name == old.name
    assert same_results(old.out, again.out) == {"accounts.parquet": 0, "evidence.parquet": 0}


def test_other_inputs_are_another_run_and_no_canary_is_hatched_from_them(make_scene, old, tmp_path):
    scene = make_scene(tmp_path)
    scene.platform.link(1, "device", "dv_ff")
    other = read_kept(scene.run().out)
    assert other.name != old.name
    with pytest.raises(InputError, match="differ in their tables"):
        mix(old, other, 0.5, KEY, tmp_path / "mix")


def test_a_feed_is_the_same_in_any_order_and_another_with_any_change(scene):
    def digest(objects):
        told = FeedPrint()
        assert list(told.over(objects)) == objects
        return told.digest

    assert digest(scene.feed) == digest(scene.feed[::-1])
    assert digest(scene.feed) != digest(scene.feed[1:])
    assert digest(scene.feed) != digest([{**scene.feed[0], "confidence": 99}, *scene.feed[1:]])
    assert digest([{"n": 2**80}]) != digest([{"n": 2**80 + 1}])


def test_tables_are_told_by_what_is_in_them(tmp_path):
    (tmp_path / "accounts.csv").write_text("account_id\n1\n")
    first = of_tables(tmp_path)
    (tmp_path / "accounts.csv").write_text("account_id\n2\n")
    assert first != of_tables(tmp_path)
    assert list(first) == ["accounts.csv"]


def test_kept_weights_that_were_changed_are_refused(copy):
    table = dict(copy.weights.table)
    (copy.out / "kept" / "weights.toml").write_text(as_toml({**table, "prior": {"log_odds": -4.0}}))
    with pytest.raises(InputError, match="not the table that the run used"):
        read_kept(copy.out)


def test_no_results_are_a_sentence(tmp_path):
    with pytest.raises(InputError, match="keeps no run"):
        read_kept(tmp_path)


def test_a_table_reads_back_equal(tmp_path):
    table = {**load_weights().table, 'odd "name"': {"a b": [1, 2.5, True, "x\ny\x7f\\"], "rows": [{"n": 1e-300}, {}]}}
    import tomllib

    assert tomllib.loads(as_toml(table)) == table
    write_table(table, tmp_path / "a.toml", "two\nlines")
    assert tomllib.loads((tmp_path / "a.toml").read_text()) == table
    with pytest.raises(FileExistsError):
        write_table(table, tmp_path / "a.toml")


def test_drift_tells_who_was_cleared_and_the_differences_add_up(old, new):
    found = drift(old, new)
    assert found["totals"]["cleared"] > 0
    assert found["totals"]["newly_flagged"] == 0
    assert found["same_feed"]
    assert found["same_tables"]
    assert [row["place"] for row in found["weights_changed"]] == ["version", f"card.{len(old.weights.cards)}.intercept"]
    for row in found["cleared"]:
        parts = sum(part["after"] - part["before"] for part in row["why"]) + row["rest"]
        assert parts == pytest.approx(row["log_odds_change"], abs=1e-9)
        assert row["why"][0]["what"] in ("prior", "provisional", "gate", "against")
    assert json.loads(json.dumps(found)) == found
    assert f"{found['totals']['cleared']:,} cleared" in as_text(found)


def test_no_drift_between_a_run_and_itself(old):
    found = drift(old, old)
    assert found["totals"]["moved"] == 0
    assert found["cleared"] == found["newly_flagged"] == found["weights_changed"] == found["population"] == []


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_canary_decides_for_its_share_and_no_other_account(old, new, tmp_path, share):
    note = mix(old, new, share, KEY, tmp_path / "mix")
    mixed = {row[0]: row[1:] for row in rows(tmp_path / "mix" / "accounts.parquet", "account_id, log_odds, weights, canary")}
    sides = {canary: dict(rows(kept.out / "accounts.parquet", "account_id, log_odds"))
             for canary, kept in ((False, old), (True, new))}
    assert len(mixed) == 48
    for account, (log_odds, weights, canary) in mixed.items():
        assert log_odds == sides[canary][account]
        assert weights == ("other" if canary else old.weights.version)
    assert sum(row[2] for row in mixed.values()) == note["canary_accounts"]
    assert (note["canary_accounts"] == 0, note["canary_accounts"] == 48) == (share == 0, share == 1)


def test_the_same_key_chooses_the_same_accounts_and_another_one_others(old, new, tmp_path):
    def chosen(name, key):
        mix(old, new, 0.5, key, tmp_path / name)
        return {row[0] for row in rows(tmp_path / name / "accounts.parquet", "account_id, canary") if row[1]}

    assert chosen("a", KEY) == chosen("b", KEY) != chosen("c", KEY[::-1])


def test_a_key_is_made_once_and_read_again(tmp_path):
    key = read_key(tmp_path / "key")
    assert key == read_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    (tmp_path / "key").write_text("short")
    with pytest.raises(InputError, match="no key"):
        read_key(tmp_path / "key")
